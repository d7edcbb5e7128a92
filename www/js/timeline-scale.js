/*
 * timeline-scale.js - what a view shows where, and how it moves.
 *
 * A view is { from, to }, moments with a fraction.  A scale maps it to pixels.
 * Knows no document.
 */

export const SHORTEST_VIEW = 200; /* ms */
const ROOM = 0.02; /* of the archive, that may be shown beside it */

export function createScale(view, width) {
	const msPerPx = (view.to - view.from) / Math.max(width, 1);

	return {
		...view, width, msPerPx,
		x: (ms) => (ms - view.from) / msPerPx,
		ms: (x) => view.from + x * msPerPx,
	};
}

/** All of the archive with its room; what no view goes beyond. */
export function limitsOf(archive) {
	const room = Math.max((archive.to - archive.from) * ROOM / 2, SHORTEST_VIEW);

	return { from: archive.from - room, to: archive.to + room };
}

/** The view of that length, as near as the limits let it. */
export function clampView(view, archive) {
	const limits = limitsOf(archive);
	const span = Math.min(Math.max(view.to - view.from, SHORTEST_VIEW), limits.to - limits.from);
	const middle = (view.from + view.to) / 2;
	const from = Math.min(Math.max(middle - span / 2, limits.from), limits.to - span);

	return { from, to: from + span };
}

/** factor below 1 shows less; the moment at stays where it is. */
export function zoomView(view, factor, at, archive) {
	const limits = limitsOf(archive);
	const was = view.to - view.from;
	const span = Math.min(Math.max(was * factor, SHORTEST_VIEW), limits.to - limits.from);
	const from = at - (at - view.from) * span / was;

	return clampView({ from, to: from + span }, archive);
}

export const panView = (view, ms, archive) => clampView({ from: view.from + ms, to: view.to + ms }, archive);

export const centreView = (span, at, archive) => clampView({ from: at - span / 2, to: at + span / 2 }, archive);

/** A view on the way from one to another, done from 0 to 1: lengths by their ratio, so that a zoom over decades is even. */
export function betweenViews(from, to, done) {
	const was = from.to - from.from;
	const will = to.to - to.from;
	const span = was * (will / was) ** done;
	const share = will === was ? done : (span - was) / (will - was);
	const start = from.from + (to.from - from.from) * share;

	return done === 1 ? to : { from: start, to: start + span };
}

/**
 * The view that shows a picture at `at`, after one at `was`: the next page
 * where playing left it, around it after a jump; the same where the user has
 * moved away from what plays.
 */
export function followView(view, was, at, archive) {
	const span = view.to - view.from;
	const isIn = (ms) => ms !== null && ms >= view.from && ms <= view.to;
	const jumped = was === null || at < was || at - was > 2000;

	if (isIn(at))
		return view;
	if (jumped)
		return centreView(span, at, archive);
	return isIn(was) ? clampView({ from: at - span * 0.05, to: at + span * 0.95 }, archive) : view;
}

/** The nearest of moments within reach of ms, or ms. */
export function snap(ms, moments, reach) {
	let best = ms;
	let least = reach;

	for (const moment of moments) {
		const away = Math.abs(moment - ms);

		if (away <= least) {
			least = away;
			best = moment;
		}
	}
	return best;
}

/** The row of each of ranges [{ from, to }], so that none covers another, in their order; at most rows. */
export function rowsOf(ranges, rows) {
	const ends = new Array(rows).fill(-Infinity);
	const placed = new Array(ranges.length).fill(0);
	const order = ranges.map((_, i) => i).sort((a, b) => ranges[a].from - ranges[b].from);

	for (const i of order) {
		const free = ends.findIndex((end) => end <= ranges[i].from);
		const row = free < 0 ? ends.indexOf(Math.min(...ends)) : free;

		ends[row] = Math.max(ends[row], ranges[i].to);
		placed[i] = row;
	}
	return { rows: placed, count: ranges.length ? Math.max(...placed) + 1 : 1 };
}
