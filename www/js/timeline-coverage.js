/*
 * timeline-coverage.js - the lane that says what there is, drawn.
 *
 * From lists in short views, from sums by the hour in long ones.  Covered is a
 * full bar, a hole has none and a line above, a suspect segment is notched, a
 * partial one hatched.  No hole is narrower than a pixel.
 */
import { firstBehind } from './coverage-lists.js';
import { FIELDS, newSum } from './coverage-sums.js';
import { DAY, formatDuration, HOUR, SECOND } from './time.js';

/** The longest view that lists are asked for. */
export const LONGEST_LISTS = DAY / 2;

const LOST = 20; /* ms: what a hole is worth being told of where hours are added up */
const [KNOWN, COVERED, MISSING, , SUSPECT, PARTIAL] = FIELDS.map((_, i) => i);
const sum = newSum();

/* How much of hours is beside the archive: it is missing there, but no hole. */
function beside(from, to, archive) {
	return Math.max(Math.min(archive.from, to) - from, 0) + Math.max(to - Math.max(archive.to, from), 0);
}

/* 135 degrees, in a colour; made once a colour and ratio. */
const hatches = new Map();

function hatch(ctx, colour, ratio) {
	const key = `${colour} ${ratio}`;

	if (!hatches.has(key)) {
		const tile = new OffscreenCanvas(6 * ratio, 6 * ratio);
		const on = tile.getContext('2d');

		on.scale(ratio, ratio);
		on.strokeStyle = colour;
		on.lineWidth = 2;
		on.beginPath();
		for (const x of [-6, 0, 6]) {
			on.moveTo(x - 3, 9);
			on.lineTo(x + 9, -3);
		}
		on.stroke();
		hatches.set(key, tile);
	}
	const pattern = ctx.createPattern(hatches.get(key), 'repeat');

	pattern.setTransform(new DOMMatrix([1 / ratio, 0, 0, 1 / ratio, 0, 0]));
	return pattern;
}

/* One run of columns with the same sums. */
function drawRun(ctx, x, width, { top, height }, colours, archive, from, to) {
	const length = to - from - beside(from, to, archive);
	const share = length > 0 ? Math.min(sum[COVERED] / length, 1) : 0;
	const missing = sum[MISSING] - beside(from, to, archive);
	const high = sum[COVERED] > 0 ? Math.max(Math.round(share * height), 2) : 0;

	if (missing > LOST) {
		ctx.fillStyle = colours.holeWash;
		ctx.fillRect(x, top, width, height);
	}
	ctx.fillStyle = colours.have;
	ctx.fillRect(x, top + height - high, width, high);
	if (sum[SUSPECT] || sum[PARTIAL]) {
		ctx.fillStyle = sum[PARTIAL] ? colours.partial : colours.suspect;
		ctx.fillRect(x, top + height - 3, width, 3);
	}
	if (missing > LOST) {
		ctx.fillStyle = colours.hole;
		ctx.fillRect(x, top, width, Math.max(2, Math.round(height / 5)));
	}
}

/** A lane { top, height } from sums: work by the pixel. */
export function drawSums(ctx, scale, sums, archive, lane, colours) {
	const begin = Math.max(Math.floor(scale.x(archive.from)), 0);
	const end = Math.min(Math.ceil(scale.x(archive.to)), scale.width);
	let x = begin;

	while (x < end) {
		const from = Math.floor(scale.ms(x) / HOUR);
		const to = Math.max(Math.ceil(scale.ms(x + 1) / HOUR), from + 1);
		/* All columns within one hour are one. */
		const next = to === from + 1 ? Math.min(Math.max(Math.floor(scale.x(to * HOUR)), x + 1), end) : x + 1;

		sums.add(sum, from, to);
		if (sum[KNOWN])
			drawRun(ctx, x, next - x, lane, colours, archive, from * HOUR, to * HOUR);
		else {
			ctx.fillStyle = colours.line;
			ctx.fillRect(x, lane.top + lane.height - 3, next - x, 3);
		}
		x = next;
	}
}

/* Each of a list that the view shows, as whole pixels; those in one column only once. */
function eachShown(list, scale, fn) {
	let drawn = -1;

	for (let i = firstBehind(list, scale.from - scale.msPerPx); i < list.length && list[i].from < scale.to; i++) {
		const from = Math.max(Math.round(scale.x(list[i].from)), 0);
		const to = Math.min(Math.max(Math.round(scale.x(list[i].to)), from + 1), scale.width);

		if (to <= drawn)
			continue;
		drawn = to;
		fn(from, to - from, list[i]);
	}
}

function drawHole(ctx, x, width, { top, height }, colours, one) {
	ctx.clearRect(x, top, width, height);
	ctx.fillStyle = colours.holeWash;
	ctx.fillRect(x, top, width, height);
	ctx.fillStyle = colours.hole;
	ctx.fillRect(x, top, width, 3);
	if (width < 4)
		ctx.fillRect(x, top, width, height);
	else {
		ctx.fillRect(x, top, 1, height);
		ctx.fillRect(x + width - 1, top, 1, height);
	}
	if (width > 70 && height >= 12) {
		ctx.font = `10px ${colours.sans}`;
		ctx.textBaseline = 'middle';
		ctx.fillText(`hole ${formatDuration(one.to - one.from, one.to - one.from < 10 * SECOND ? 2 : 0)}`, x + 6, top + height / 2 + 2);
	}
}

/** What is silent because it is a hole, in a lane of something else. */
export function drawHoleShade(ctx, scale, lists, { top, height }, colours) {
	eachShown(lists.holes, scale, (x, width) => {
		if (width < 2)
			return;
		ctx.clearRect(x, top, width, height);
		ctx.fillStyle = colours.holeWash;
		ctx.fillRect(x, top, width, height);
	});
}

function drawNonfull(ctx, x, width, { top, height }, colours, one, ratio) {
	ctx.clearRect(x, top, width, height);
	if (one.kind === 'suspect') {
		ctx.fillStyle = colours.suspect;
		ctx.fillRect(x, top + 4, width, height - 4);
	} else {
		ctx.fillStyle = colours.hatch ??= hatch(ctx, colours.partial, ratio);
		ctx.fillRect(x, top, width, height);
		ctx.fillStyle = colours.partial;
		ctx.fillRect(x, top + height - 2, width, 2);
	}
}

/** A lane from lists of coverage.js. */
export function drawLists(ctx, scale, lists, lane, colours, ratio) {
	ctx.fillStyle = colours.line;
	eachShown(lists.unknown, scale, (x, width) => ctx.fillRect(x, lane.top + lane.height - 3, width, 3));
	ctx.fillStyle = colours.have;
	eachShown(lists.spans, scale, (x, width) => ctx.fillRect(x, lane.top, width, lane.height));
	eachShown(lists.nonfull, scale, (x, width, one) => drawNonfull(ctx, x, width, lane, colours, one, ratio));
	eachShown(lists.holes, scale, (x, width, one) => drawHole(ctx, x, width, lane, colours, one));
}

/** { holes, missing } of a view: exact from lists, by the hour from sums. */
export function totalsOf(view, archive, coverage) {
	const from = Math.max(view.from, archive.from);
	const to = Math.min(view.to, archive.to);

	if (from >= to)
		return { holes: 0, missing: 0 };
	if (view.to - view.from > LONGEST_LISTS) {
		const total = coverage.total(from, to);
		const first = Math.floor(from / HOUR) * HOUR;
		const last = Math.ceil(to / HOUR) * HOUR;
		const outside = (ms) => ms > LOST ? 1 : 0;

		return total && {
			holes: Math.max(total.holes - outside(archive.from - first) - outside(last - archive.to), 0),
			missing: Math.max(total.missing - beside(first, last, archive), 0),
		};
	}
	const lists = coverage.lists(view.from, view.to);
	const totals = { holes: 0, missing: 0 };

	for (let i = firstBehind(lists.holes, from); i < lists.holes.length && lists.holes[i].from < to; i++) {
		totals.holes++;
		totals.missing += Math.min(lists.holes[i].to, to) - Math.max(lists.holes[i].from, from);
	}
	return totals;
}

/** What is at a moment, in a word: covered, hole, suspect, partial, or '' where that is not known. */
export function stateAt(ms, view, archive, coverage) {
	if (ms < archive.from || ms >= archive.to)
		return 'nothing recorded';
	if (view.to - view.from > LONGEST_LISTS) {
		const total = coverage.total(Math.floor(ms / HOUR) * HOUR, Math.floor(ms / HOUR) * HOUR + HOUR);

		return !total?.known ? '' : !total.covered ? 'hole' : 'covered';
	}
	const lists = coverage.lists(view.from, view.to);
	const within = (list) => {
		const one = list[firstBehind(list, ms)];

		return one && one.from <= ms ? one : null;
	};

	if (within(lists.unknown))
		return '';
	return within(lists.holes) ? 'hole' : within(lists.nonfull)?.kind ?? 'covered';
}
