/*
 * timeline-ranges.js - the edit's ranges on the timeline: where they are, and
 * drawn.
 */
import { rowsOf } from './timeline-scale.js';

const ROWS = 3;

/** Ranges of an edit as they are drawn, one without an end up to `at`: [{ id, number, from, to, open, row }] and rows. */
export function placed(edit, at) {
	const ranges = edit.ranges.map((range, i) => {
		const from = range.in ?? range.out;
		const to = range.out ?? Math.max(at ?? from, from);

		return { id: range.id, index: i, number: i + 1, from, to, hasIn: range.in !== null, hasOut: range.out !== null };
	});
	const { rows, count } = rowsOf(ranges, ROWS);

	return { ranges: ranges.map((range, i) => ({ ...range, row: rows[i] })), count };
}

/** The mark { id, mark, ms } within so many pixels of x, the selected range's before others; null if there is none. */
export function markNear(edit, scale, x, reach) {
	let best = null;

	for (const range of edit.ranges)
		for (const mark of ['in', 'out']) {
			const ms = range[mark];
			const away = ms === null ? Infinity : Math.abs(scale.x(ms) - x) - (range.id === edit.selected ? 1 : 0);

			if (away <= reach && (!best || away < best.away))
				best = { id: range.id, mark, ms, away };
		}
	return best;
}

/** The range at a place of the lane, or null. */
export function rangeAt(edit, scale, lane, x, y, at) {
	const { ranges, count } = placed(edit, at);
	const row = Math.min(Math.floor((y - lane.top) * count / lane.height), count - 1);

	return ranges.findLast((range) => range.row === row && scale.x(range.from) - 1 <= x && scale.x(range.to) + 1 >= x) ?? null;
}

function drawWedge(ctx, from, to, top, height, rises) {
	ctx.beginPath();
	ctx.moveTo(from, top + height);
	ctx.lineTo(to, top + height);
	ctx.lineTo(rises ? to : from, top);
	ctx.fill();
}

/* The last seconds of a range and the first of the next, which a transition shows at once. */
function drawJoins(ctx, scale, edit, ranges, place, colours) {
	ctx.fillStyle = colours.mark;
	ctx.globalAlpha = 0.55;
	edit.joins.forEach((join, i) => {
		const [before, after] = [ranges[i], ranges[i + 1]];

		if (!join || !before?.hasOut || !after?.hasIn)
			return;
		const ms = join.seconds * 1000;
		const [one, other] = [place(before), place(after)];

		drawWedge(ctx, scale.x(before.to - ms), scale.x(before.to), one.top, one.height, false);
		drawWedge(ctx, scale.x(after.from), scale.x(after.from + ms), other.top, other.height, true);
	});
	ctx.globalAlpha = 1;
}

/* What is in a range is washed, its marks are lines; both reach from the top of the wave on. */
function drawWash(ctx, range, from, to, lanes, colours, selected) {
	const top = lanes.archive.top;
	const bottom = lanes.ranges.top;

	ctx.fillStyle = colours.markWash;
	ctx.fillRect(from, lanes.wave.top, to - from, bottom - lanes.wave.top);
	ctx.fillStyle = colours.mark;
	ctx.globalAlpha = selected ? 1 : 0.55;
	if (range.hasIn)
		ctx.fillRect(Math.round(from), top, 1, bottom - top);
	if (range.hasOut)
		ctx.fillRect(Math.round(to) - 1, top, 1, bottom - top);
	ctx.globalAlpha = 1;
}

function drawGrip(ctx, x, top, height, colours, isIn) {
	const left = isIn ? x : x - 5;

	ctx.fillStyle = colours.mark;
	ctx.beginPath();
	ctx.roundRect(left, top, 5, height, isIn ? [3, 0, 0, 3] : [0, 3, 3, 0]);
	ctx.fill();
	ctx.fillStyle = colours.onMark;
	if (height > 10)
		ctx.fillRect(left + 2, top + height / 2 - 4, 1, 8);
}

function drawBody(ctx, range, from, to, { top, height }, colours, selected) {
	const width = Math.max(to - from, 2);

	ctx.fillStyle = colours.markWash;
	ctx.strokeStyle = colours.mark;
	ctx.lineWidth = selected ? 2 : 1;
	ctx.globalAlpha = selected ? 1 : 0.7;
	ctx.beginPath();
	ctx.roundRect(from + 0.5, top + 1, width - 1, height - 2, Math.min(4, width / 2));
	ctx.fill();
	if (selected)
		ctx.fill();
	if (!range.hasOut)
		ctx.setLineDash([4, 3]);
	ctx.stroke();
	ctx.setLineDash([]);
	ctx.globalAlpha = 1;
	if (range.hasIn && width > 14)
		drawGrip(ctx, from, top, height, colours, true);
	if (range.hasOut && width > 14)
		drawGrip(ctx, to, top, height, colours, false);
}

function drawNumber(ctx, range, from, to, { top, height }, width, colours, selected) {
	const left = Math.max(from, 0) + 10;
	const text = String(range.number);

	if (Math.min(to, width) - left < ctx.measureText(text).width + 6 || height < 8)
		return;
	ctx.fillStyle = colours.text;
	ctx.font = `${selected ? 700 : 500} ${height < 14 ? 9 : 12}px ${colours.sans}`;
	ctx.fillText(text, left, top + height / 2 + 0.5);
}

/** All ranges of the edit; lanes: { archive, wave, ranges } of { top, height }. */
export function drawRanges(ctx, scale, state, lanes, colours) {
	const { edit, at } = state;
	const { ranges, count } = placed(edit, at);
	const height = lanes.ranges.height / count;
	const place = (range) => ({ top: lanes.ranges.top + range.row * height, height });
	const isShown = (range) => range.to >= scale.from - 10 * scale.msPerPx && range.from <= scale.to + 10 * scale.msPerPx;
	const far = (x) => Math.min(Math.max(x, -20), scale.width + 20);

	ctx.textBaseline = 'middle';
	for (const range of ranges.filter(isShown)) {
		const [from, to] = [far(scale.x(range.from)), far(scale.x(range.to))];
		const selected = range.id === edit.selected;

		drawWash(ctx, range, from, to, lanes, colours, selected);
		drawBody(ctx, range, from, to, place(range), colours, selected);
		drawNumber(ctx, range, from, to, place(range), scale.width, colours, selected);
	}
	drawJoins(ctx, scale, edit, ranges, place, colours);
}
