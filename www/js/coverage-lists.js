/*
 * coverage-lists.js - what is there and what is not, as lists.
 *
 * Lists are { spans, holes, nonfull }: [{ from, to }], nonfull with a kind,
 * each sorted by time; moments as in time.js, with a fraction where the server
 * has one.  Spans and holes together are the whole range they were asked of.
 * Knows no server.
 */
import { HOUR } from './time.js';

/** 2026-11-07T02:05:02.000250Z; engines differ in more than three digits. */
export function parseMicros(text) {
	return Date.parse(`${text.slice(0, 23)}Z`) + Number(text.slice(23, 26)) / 1000;
}

const bounds = (one) => ({ from: parseMicros(one.start), to: parseMicros(one.end) });

/** Spans that touch are one: the server begins a new one at a segment that is not full. */
function joined(spans) {
	const all = [];

	for (const span of spans) {
		const last = all.at(-1);

		if (last && span.from <= last.to)
			last.to = Math.max(last.to, span.to);
		else
			all.push({ ...span });
	}
	return all;
}

/** Lists of a whole answer of /coverage. */
export function parseLists(answer) {
	return {
		spans: joined(answer.spans.map(bounds)),
		holes: answer.holes.map(bounds),
		nonfull: answer.nonfull.map((one) => {
			const from = parseMicros(one.start);

			return { from, to: from + one.duration * 1000, kind: one.kind };
		}),
	};
}

/** Index of the first that ends behind ms. */
export function firstBehind(list, ms) {
	let low = 0;
	let high = list.length;

	while (low < high) {
		const middle = (low + high) >> 1;

		if (list[middle].to > ms)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* What of a list is in from to to; what has no length is in if it is before to. */
function clipped(list, from, to) {
	return list
		.filter((one) => one.from < to && (one.to > from || (one.from === one.to && one.from >= from)))
		.map((one) => one.from >= from && one.to <= to ? one
			: { ...one, from: Math.max(one.from, from), to: Math.min(one.to, to) });
}

export function clip(lists, from, to) {
	return {
		spans: clipped(lists.spans, from, to), holes: clipped(lists.holes, from, to),
		nonfull: clipped(lists.nonfull, from, to),
	};
}

/** Holes that touch are one, but those of no length, each of which is a place of its own. */
function joinedHoles(holes) {
	const all = [];

	for (const hole of holes) {
		const last = all.at(-1);

		if (last && last.to > last.from && hole.to > hole.from && hole.from <= last.to)
			last.to = Math.max(last.to, hole.to);
		else
			all.push({ ...hole });
	}
	return all;
}

/** Lists of successive ranges as those of one. */
export function concat(parts) {
	return {
		spans: joined(parts.flatMap((part) => part.spans)),
		holes: joinedHoles(parts.flatMap((part) => part.holes)),
		nonfull: parts.flatMap((part) => part.nonfull)
			.filter((one, i, all) => !i || one.from !== all[i - 1].from),
	};
}

const BEFORE_HOLE = 1000; /* ms that are seen before one */

/**
 * The next span beyond a hole, to the right (1) or left (-1) of what is covered
 * around reach: { at, reach }, at null if the spans have none, reach then how
 * far they are covered.
 */
export function nearestSpan(spans, reach, direction) {
	for (const { from, to } of direction > 0 ? spans : spans.toReversed()) {
		if (direction > 0 ? to <= reach : from >= reach)
			continue;
		if (direction > 0 ? from > reach : to < reach)
			return { at: direction > 0 ? from : Math.max(from, to - BEFORE_HOLE), reach };
		reach = direction > 0 ? to : from;
	}
	return { at: null, reach };
}

/**
 * Lists of the hour at from, where its sums say all of it: null where they do
 * not, and one must ask.
 */
export function listsOfSums(from, sum) {
	const all = [{ from, to: from + HOUR }];

	if (!sum.holes && !sum.suspect && !sum.partial && sum.covered >= HOUR)
		return { spans: all, holes: [], nonfull: [] };
	if (!sum.covered && sum.missing >= HOUR)
		return { spans: [], holes: all, nonfull: [] };
	return null;
}

/** The hours, as moments, that a range touches. */
export function hoursOf(from, to) {
	const hours = [];

	for (let hour = Math.floor(from / HOUR) * HOUR; hour < to; hour += HOUR)
		hours.push(hour);
	return hours;
}

/** Pieces of a range, aligned to a multiple of length, the newest first: [{ from, to }]. */
export function piecesOf(from, to, length) {
	const pieces = [];

	for (let end = to; end > from;) {
		const start = Math.max(from, Math.floor((end - 1) / length) * length);

		pieces.push({ from: start, to: end });
		end = start;
	}
	return pieces;
}
