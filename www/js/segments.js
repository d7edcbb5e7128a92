/*
 * segments.js - which segment of the player's list has a moment.
 *
 * Moments and lengths are as the archive has them, in milliseconds: what hls.js
 * has as start and duration changes as it learns how long the pictures last.
 */
import { exactDate, lastAtOrBefore } from './pictures.js';
import { ROOM } from './playlist.js';

/** Lists round lengths, and neighbours may overlap: milliseconds that are no hole. */
const SLACK = 20;

/**
 * Which range of an edit each segment of its list is for: [{ date, length }] in
 * milliseconds.  A list has the segments of one range after those of the other;
 * the same segment may be in both, and a range in a hole has none.
 */
export function rangesOfSegments(segments, ranges) {
	const fits = ({ date, length }, range) => date < range.out && date + length > range.in;
	let current = 0;
	let last = -Infinity;

	return segments.map((segment) => {
		if (segment.date <= last || !fits(segment, ranges[current])) {
			const next = ranges.findIndex((range, i) => i > current && fits(segment, range));

			current = next < 0 ? current : next;
		}
		last = segment.date;
		return current;
	});
}

/* As the list says it, without the room behind a run. */
function lengthOf({ cc, duration, tagList }, next) {
	const said = Number(tagList.find(([name]) => name === 'INF')?.[1] ?? duration);

	return (next && next.cc !== cc ? said - ROOM : said) * 1000;
}

/**
 * The segments of a list: fragments as hls.js has them of it, at least one, in
 * its order, and the ranges [{ in, out }] where it is the list of an edit.
 */
export function createSegments(fragments, edit = null) {
	const dates = fragments.map((fragment) => exactDate(fragment.rawProgramDateTime ?? ''));
	const lengths = fragments.map((fragment, i) => lengthOf(fragment, fragments[i + 1]));
	const ranges = edit && rangesOfSegments(dates.map((date, i) => ({ date, length: lengths[i] })), edit);
	const last = dates.length - 1;

	/* [first, end) of those of a range. */
	function boundsOf(range) {
		return ranges?.includes(range) ? [ranges.indexOf(range), ranges.lastIndexOf(range) + 1] : [0, dates.length];
	}

	function indexOf(moment, [first, end]) {
		let i = first + Math.max(0, lastAtOrBefore(dates.slice(first, end), moment));

		/* What is behind its last picture belongs to the next. */
		if (moment >= dates[i] + lengths[i] + SLACK && i + 1 < end)
			i++;
		/* And what cannot be read is as good as a hole. */
		while (fragments[i].gap && i + 1 < end)
			i++;
		return i;
	}

	return {
		/** The segment that has a moment, of one range of an edit, or where it is in a hole the next one; and that behind it. */
		find(moment, range = 0) {
			const bounds = boundsOf(range);
			const i = indexOf(moment, bounds);
			const next = fragments.slice(i + 1, bounds[1]).find((fragment) => !fragment.gap) ?? null;

			return { fragment: fragments[i], date: dates[i], length: lengths[i], next };
		},

		/** The range that a segment is for, by its number; null where there is no edit. */
		rangeOf: (sn) => ranges?.[sn - fragments[0].sn] ?? null,

		/** The next range, from one on, that has a segment: is not all in a hole; null where there is none. */
		rangeFrom: (range) => ranges?.find((one) => one >= range) ?? null,

		/** Where the last one ends. */
		end: dates[last] + lengths[last],

		/** A moment, or where that is in a hole, that of the last picture before it, of so many ms; null where there is none. */
		recordedBefore(moment, length) {
			const i = indexOf(moment, [0, dates.length]);

			if (moment >= dates[i] - SLACK)
				return moment;
			/* Lengths in a list are rounded. */
			return i ? dates[i - 1] + lengths[i - 1] - 1.5 * length : null;
		},
	};
}
