/*
 * psi.h - the tables of a transport stream: what programme there is (PAT), and
 * what streams it has (PMT).
 *
 * Of several programmes the first counts.  A table may begin in one packet and
 * end in another; it counts when it is whole, current and its CRC is right.
 *
 * Errors: false where bytes are no such table; nothing is written then.
 * Owner:  plain structs, copy them freely.
 * Source: ISO/IEC 13818-1 2.4.4; the types of streams also ETSI TS 101 154,
 *         and Apple's "Timed Metadata for HTTP Live Streaming" for 0x15.
 */
#ifndef MEDIA_PSI_H
#define MEDIA_PSI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "media/ts.h"

#define PSI_MAX_SECTION 1024 /* of a PAT or PMT, with its header */
#define PSI_MAX_STREAMS 32

/* A table in the making; begin with a zeroed one. */
struct psi_section {
	uint8_t data[PSI_MAX_SECTION];
	size_t have;
	size_t need;	  /* 0: none begun */
	unsigned counter; /* of the last packet */
};

/*
 * Takes a packet of the table's PID.  True when the section is whole and its
 * CRC is right: then data has need bytes.  One that is lost in part is begun
 * again.
 */
bool psi_feed(struct psi_section *s, const uint8_t *packet) MUST_CHECK;

/* The PID of the first programme's PMT. */
bool psi_read_pat(const struct psi_section *s, unsigned *pmt_pid_r) MUST_CHECK;

enum stream_kind { STREAM_VIDEO, STREAM_AUDIO, STREAM_ID3, STREAM_OTHER };

enum stream_type {
	TYPE_MPEG1_AUDIO = 0x03,
	TYPE_MPEG2_AUDIO = 0x04,
	TYPE_ADTS = 0x0f,
	TYPE_ID3 = 0x15,
	TYPE_H264 = 0x1b,
	TYPE_HEVC = 0x24,
};

struct ts_stream {
	uint16_t pid;
	uint8_t type; /* enum stream_type, among others */
	uint8_t kind; /* enum stream_kind, by the type */
};

struct ts_program {
	uint16_t pcr_pid; /* TS_PID_NULL: no PCR */
	uint8_t version;
	uint8_t nr_streams;
	struct ts_stream streams[PSI_MAX_STREAMS];
};

bool psi_read_pmt(const struct psi_section *s,
		  struct ts_program *program_r) MUST_CHECK;

/* The first stream of a kind, or NULL. */
const struct ts_stream *program_stream(const struct ts_program *program,
				       enum stream_kind kind);

/* How many packets a section takes. */
size_t psi_nr_packets(size_t section_len);

/*
 * Writes the packets of a section; *counter is the continuity counter of the
 * last packet on that PID, and is moved on.
 */
void psi_put(const uint8_t *section, size_t len, unsigned pid,
	     unsigned *counter, uint8_t *packets);

#endif
