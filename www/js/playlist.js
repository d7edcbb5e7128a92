/*
 * playlist.js - the text of the server's media playlists, as the player needs it.
 *
 * The server counts each list's segments from 0; createSliding() counts on across
 * those of a window that slides, so that to the player it is one live playlist
 * (RFC 8216, 6.2.2).  withBreaks() parts runs where the source's clock leaps, and
 * withRoom() leaves a little time behind each.
 */

const isUri = (line) => line !== '' && !line.startsWith('#');

/* A playlist's segments: [{ uri, cc }], cc the number of discontinuities before it. */
function segmentsOf(lines) {
	const segments = [];
	let cc = 0;

	for (const line of lines)
		if (line.startsWith('#EXT-X-DISCONTINUITY') && !line.startsWith('#EXT-X-DISCONTINUITY-SEQUENCE'))
			cc++;
		else if (isUri(line))
			segments.push({ uri: line, cc });
	return segments;
}

/**
 * Numbers the lists of a window that slides: number(text) is the text with
 * MEDIA-SEQUENCE and DISCONTINUITY-SEQUENCE as they follow from the list before.
 * A list that shares no segment with it follows it.
 */
export function createSliding() {
	let known = new Map(); /* uri: { sn, cc } of the last list */
	let next = { sn: 0, cc: 0 };

	return function number(text) {
		const lines = text.split('\n');
		const segments = segmentsOf(lines);
		const shared = segments.findIndex((segment) => known.has(segment.uri));
		let base = next;

		if (shared >= 0) {
			const was = known.get(segments[shared].uri);

			/* Numbers go up only: what is now in front of the first known one, a late segment, is left out. */
			base = { sn: was.sn, cc: was.cc - segments[shared].cc };
		}
		const kept = shared > 0 ? segments.slice(shared) : segments;
		const dropped = segments.length - kept.length;

		if (segments.length) {
			const last = kept.at(-1);

			known = new Map(kept.map((segment, i) => [segment.uri, { sn: base.sn + i, cc: base.cc + segment.cc }]));
			next = { sn: base.sn + kept.length, cc: base.cc + last.cc + 1 };
		}
		return write(lines, dropped, base.sn, base.cc + (kept[0]?.cc ?? 0));
	};
}

/* The list without its first segments, with its numbers. */
function write(lines, dropped, sn, cc) {
	const out = [];
	let head = true;
	let skip = dropped;

	for (const line of lines) {
		const isTag = line.startsWith('#EXT-X-PROGRAM-DATE-TIME') || line.startsWith('#EXTINF') ||
			line === '#EXT-X-DISCONTINUITY';

		if (line.startsWith('#EXT-X-MEDIA-SEQUENCE')) {
			out.push(`#EXT-X-MEDIA-SEQUENCE:${sn}`, `#EXT-X-DISCONTINUITY-SEQUENCE:${cc}`);
			continue;
		}
		if (isTag || isUri(line))
			head = false;
		if (!head && skip) {
			if (isUri(line))
				skip--;
			continue;
		}
		/* Counted in DISCONTINUITY-SEQUENCE instead. */
		if (dropped && line === '#EXT-X-DISCONTINUITY' && !out.some(isUri))
			continue;
		out.push(line);
	}
	return out.join('\n');
}

/** A list with a discontinuity before each segment of some URIs, a Set; not before the first of all. */
export function withBreaks(text, uris) {
	if (!uris.size)
		return text;
	const out = [];
	let head = null; /* where the tags of the next segment begin; none has been before the first */

	for (const line of text.split('\n')) {
		if (isUri(line) && head !== null && uris.has(line) && !out.includes('#EXT-X-DISCONTINUITY', head))
			out.splice(head, 0, '#EXT-X-DISCONTINUITY');
		out.push(line);
		if (isUri(line))
			head = out.length;
	}
	return out.join('\n');
}

/** Seconds that are left behind each unbroken run of segments. */
export const ROOM = 0.25;

/**
 * A list with room behind each run: pictures last a little longer than a list
 * says, and where the player had the run behind it first, it would have no place
 * for the last ones.
 */
export function withRoom(text) {
	return text.replace(/#EXTINF:([\d.]+)(,[^\n]*\n[^#\n]+\n#EXT-X-DISCONTINUITY\n)/g,
		(_, seconds, rest) => `#EXTINF:${(Number(seconds) + ROOM).toFixed(3)}${rest}`);
}
