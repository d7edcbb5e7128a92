#include "config.h"

#include "media/roughcut.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xxhash.h>

#include "base/fsutil.h"

/* What a validator is made of. */
struct identity {
	uint64_t size;
	int64_t mtime_ns;
	int64_t start_us;
};

/* ENXIO: a socket; the others: gone, or a link that leads nowhere of ours. */
static bool is_absent(int error)
{
	return error == ENOENT || error == ENOTDIR || error == ESTALE ||
	       error == EXDEV || error == ELOOP || error == ENXIO;
}

enum err roughcut_look_at(struct roughcut *cut, struct rough_piece *piece,
			  XXH3_state_t *hash, struct errmsg *e)
{
	char path[PATH_MAX];
	struct identity id;
	struct fs_stamp stamp;
	struct stat st;
	bool is_file;
	int fd;

	hourindex_path(piece->index, piece->entry, path);
	/* Opened as it will be: what cannot be read is said before it begins.
	 */
	fd = quality_open(cut->quality, path, O_RDONLY | O_NONBLOCK);
	if (fd < 0 && !is_absent(errno))
		return err_set(e, ERR_IO, "cannot read segment '%s': %s",
			       err_quote(path).text, strerror(errno));
	is_file = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
	fs_close(&fd);
	if (!is_file)
		return err_set(e, ERR_BUSY, "segment '%s' vanished; try again",
			       err_quote(path).text);
	fs_stamp_of(&st, &stamp);
	piece->size = (uint64_t)st.st_size;
	piece->mtime_ns = stamp.mtime_ns;
	piece->offset = cut->length;
	cut->length += piece->size;
	id = (struct identity){ piece->size, stamp.mtime_ns,
				piece->index->entries[piece->entry].start_us };
	XXH3_128bits_update(hash, &id, sizeof(id));
	XXH3_128bits_update(hash, path, strlen(path));
	if (piece->index->entries[piece->entry].kind != SEGMENT_FULL)
		cut->is_settled = false;
	return ERR_OK;
}

static enum err add_pieces(struct roughcut *cut, const struct sequence *seq,
			   uint32_t range, XXH3_state_t *hash, struct errmsg *e)
{
	for (size_t s = 0; s < seq->nr; s++) {
		const struct segspan *span = &seq->spans[s];

		for (uint32_t i = span->first; i <= span->last;
		     i = segspan_next(span, i)) {
			struct rough_piece *piece = &cut->pieces[cut->nr++];
			enum err err;

			piece->index = span->index;
			piece->entry = i;
			piece->range = range;
			piece->after_hole = segspan_is_after_hole(span, i);
			err = roughcut_look_at(cut, piece, hash, e);
			if (err)
				return err;
		}
	}
	return ERR_OK;
}

static enum err check_holes(const struct sequence *seq, bool allow_holes,
			    struct errmsg *e)
{
	char start[UTIME_ISO_SIZE], end[UTIME_ISO_SIZE];

	if (allow_holes || !seq->nr || !seq->nr_holes)
		return sequence_check(seq, e);
	utime_format(seq->range.start_us, start);
	utime_format(seq->range.end_us, end);
	return err_set(e, ERR_HOLES,
		       "contains holes: %u of %.3f s together from %s to %s; "
		       "allow_holes=true takes what there is",
		       seq->nr_holes, (double)seq->holes_us / USEC_PER_SEC,
		       start, end);
}

static enum err find_all(struct hourreader *reader,
			 const struct rough_spec *spec, struct sequence *seqs,
			 struct roughcut *cut, struct errmsg *e)
{
	uint64_t nr = 0;

	for (size_t i = 0; i < spec->nr_ranges; i++) {
		enum err err =
			bestseg_find(reader, &spec->ranges[i], &seqs[i], e);

		if (!err)
			err = check_holes(&seqs[i], spec->allow_holes, e);
		if (err)
			return err;
		nr += sequence_count(&seqs[i]);
		cut->ranges_us +=
			spec->ranges[i].end_us - spec->ranges[i].start_us;
		cut->nr_holes += seqs[i].nr_holes;
		cut->holes_us += seqs[i].holes_us;
		if (seqs[i].nr_holes ||
		    spec->ranges[i].end_us + USEC_PER_HOUR > spec->now_us)
			cut->is_settled = false;
	}
	cut->pieces = arena_alloc(reader->arena, nr * sizeof(*cut->pieces));
	return ERR_OK;
}

static enum err plan_once(struct hourreader *reader,
			  const struct rough_spec *spec, XXH3_state_t *hash,
			  struct roughcut *cut_r, struct errmsg *e)
{
	struct sequence *seqs =
		arena_alloc(reader->arena, spec->nr_ranges * sizeof(*seqs));
	struct roughcut cut = { .quality = reader->quality,
				.ranges = spec->ranges,
				.nr_ranges = spec->nr_ranges,
				.is_settled = true };
	XXH128_hash_t digest;
	enum err err;

	XXH3_128bits_reset(hash);
	err = find_all(reader, spec, seqs, &cut, e);
	for (size_t i = 0; !err && i < spec->nr_ranges; i++)
		err = add_pieces(&cut, &seqs[i], (uint32_t)i, hash, e);
	if (err)
		return err;
	digest = XXH3_128bits_digest(hash);
	cut.hash[0] = digest.high64;
	cut.hash[1] = digest.low64;
	*cut_r = cut;
	return ERR_OK;
}

enum err roughcut_plan(struct hourreader *reader, const struct rough_spec *spec,
		       struct roughcut *cut_r, struct errmsg *e)
{
	XXH3_state_t *hash = XXH3_createState();
	enum err err = ERR_BUSY;

	if (!hash)
		return err_set(e, ERR_IO, "out of memory");
	/* What vanishes between the listing and the look is not in the next. */
	for (int attempt = 0; attempt < 3 && err == ERR_BUSY; attempt++)
		err = plan_once(reader, spec, hash, cut_r, e);
	XXH3_freeState(hash);
	return err;
}

enum err roughcut_open(const struct roughcut *cut,
		       const struct rough_piece *piece, int *fd_r,
		       struct errmsg *e)
{
	char path[PATH_MAX];
	struct stat st;
	struct fs_stamp stamp;
	int fd;

	hourindex_path(piece->index, piece->entry, path);
	fd = quality_open(cut->quality, path, O_RDONLY | O_NONBLOCK);
	if (fd < 0)
		return err_set(e, ERR_CORRUPT,
			       "segment '%s' vanished while it was sent",
			       err_quote(path).text);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (uint64_t)st.st_size == piece->size) {
		fs_stamp_of(&st, &stamp);
		if (stamp.mtime_ns == piece->mtime_ns) {
			*fd_r = fd;
			return ERR_OK;
		}
	}
	close(fd);
	return err_set(e, ERR_CORRUPT, "segment '%s' changed while it was sent",
		       err_quote(path).text);
}

static enum err send_piece(const struct roughcut *cut,
			   const struct rough_piece *piece, uint64_t offset,
			   uint64_t count, struct sink *sink, struct errmsg *e)
{
	enum err err;
	int fd;

	err = roughcut_open(cut, piece, &fd, e);
	if (err)
		return err;
	err = sink->copy_file(sink, fd, offset, count, e);
	close(fd);
	return err;
}

/* The piece that byte offset of the cut is in. */
static size_t find_piece(const struct roughcut *cut, uint64_t offset)
{
	size_t low = 0;
	size_t high = cut->nr;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (cut->pieces[middle].offset <= offset)
			low = middle;
		else
			high = middle;
	}
	return low;
}

enum err roughcut_send(const struct roughcut *cut, uint64_t offset,
		       uint64_t count, struct sink *sink, struct errmsg *e)
{
	for (size_t i = find_piece(cut, offset); count && i < cut->nr; i++) {
		const struct rough_piece *piece = &cut->pieces[i];
		uint64_t skip = offset - piece->offset;
		uint64_t part = piece->size - skip;
		enum err err;

		part = part < count ? part : count;
		if (!part)
			continue;
		err = send_piece(cut, piece, skip, part, sink, e);
		if (err)
			return err;
		offset += part;
		count -= part;
	}
	return ERR_OK;
}
