/*
 * timeline-canvas.js - the timeline's canvas: its size, its lanes, its colours,
 * and when they are drawn.
 *
 * Everything is drawn at most once a picture of the display, and only when it
 * has changed.  What moves with every picture of the video, the playhead, is an
 * element above the canvas.
 */
import { drawHoleShade, drawLists, drawSums, LONGEST_LISTS } from './timeline-coverage.js';
import { drawRanges } from './timeline-ranges.js';
import { drawRuler } from './timeline-ruler.js';
import { createScale } from './timeline-scale.js';
import { MINUTE } from './time.js';
import { LONGEST_VIEW } from './wave.js';

/* Where the lanes are, in CSS pixels; narrow screens have lower ones. */
function lanesFor(isNarrow) {
	const lanes = {};
	const heights = isNarrow
		? { overview: [4, 14], ruler: [6, 30], archive: [2, 12], wave: [4, 40], ranges: [4, 30] }
		: { overview: [4, 14], ruler: [6, 30], archive: [2, 14], wave: [4, 52], ranges: [4, 26] };
	let top = 0;

	for (const [name, [gap, height]] of Object.entries(heights)) {
		lanes[name] = { top: top + gap, height };
		top += gap + height;
	}
	return { ...lanes, height: top + 4 };
}

const LIVE = 2 * MINUTE; /* behind now */

const COLOURS = {
	ground: 'ground', panel: 'panel', raised: 'raised', line: 'line', edge: 'edge', text: 'text', quiet: 'quiet',
	mark: 'mark', onMark: 'on-mark', markWash: 'mark-wash', have: 'have', suspect: 'suspect', partial: 'partial',
	hole: 'hole', holeWash: 'hole-wash', wave: 'wave', live: 'live', sans: 'sans', mono: 'mono',
};

function readColours(root) {
	const style = getComputedStyle(root);

	return Object.fromEntries(Object.entries(COLOURS).map(([name, token]) => [name, style.getPropertyValue(`--${token}`).trim()]));
}

/** canvas in root; parts: { coverage, wave }; drawn(scale) is called behind each drawing. */
export function createTimelineCanvas(root, canvas, app, { coverage, wave, drawn }) {
	const { state } = app.store;
	const ctx = canvas.getContext('2d');
	const overview = document.createElement('canvas');
	let colours = readColours(root);
	let lanes = lanesFor(false);
	let width = 0;
	let ratio = 1;
	let frame = 0;
	let overviewKey = '';
	let coverageVersion = 0;

	const redraw = () => frame ||= requestAnimationFrame(draw);
	const scale = () => state.view && width ? createScale(state.view, width) : null;
	const overviewScale = () => state.archive && width ? createScale(state.archive, width) : null;

	function resize() {
		width = Math.max(Math.floor(root.clientWidth), 1);
		ratio = window.devicePixelRatio || 1;
		lanes = lanesFor(width < 700);
		canvas.width = Math.round(width * ratio);
		canvas.height = Math.round(lanes.height * ratio);
		canvas.style.height = `${lanes.height}px`;
		colours = readColours(root);
		overviewKey = '';
		redraw();
	}

	/* All of the archive is drawn anew only when it or what is known of it changes. */
	function drawOverview() {
		const { archive, view } = state;
		const whole = overviewScale();
		const key = `${coverageVersion} ${archive.from} ${archive.to} ${width} ${ratio}`;
		const lane = { top: 0, height: lanes.overview.height };

		if (key !== overviewKey && coverage.sums()) {
			overviewKey = key;
			overview.width = canvas.width;
			overview.height = Math.round(lane.height * ratio);
			const on = overview.getContext('2d');

			on.scale(ratio, ratio);
			on.fillStyle = colours.raised;
			on.fillRect(0, 0, width, lane.height);
			on.globalAlpha = 0.75;
			drawCovered(on, whole, lane);
		}
		if (overview.height)
			ctx.drawImage(overview, 0, lanes.overview.top, width, lane.height);
		drawWindow(whole, view);
		drawOverviewMarks(whole);
	}

	function drawCovered(on, now, lane) {
		if (now.to - now.from <= LONGEST_LISTS)
			drawLists(on, now, coverage.lists(now.from, now.to), lane, colours, ratio);
		else if (coverage.sums())
			drawSums(on, now, coverage.sums(), state.archive, lane, colours);
	}

	function drawWindow(whole, view) {
		const { top, height } = lanes.overview;
		const left = Math.max(whole.x(view.from), 0);
		const right = Math.min(Math.max(whole.x(view.to), left + 6), width);

		ctx.fillStyle = colours.panel;
		ctx.globalAlpha = 0.5;
		ctx.fillRect(0, top, left, height);
		ctx.fillRect(right, top, width - right, height);
		ctx.globalAlpha = 1;
		ctx.strokeStyle = colours.text;
		ctx.lineWidth = 2;
		ctx.beginPath();
		ctx.roundRect(left + 1, top, right - left - 2, height, 3);
		ctx.stroke();
	}

	function drawOverviewMarks(whole) {
		const { top, height } = lanes.overview;

		ctx.fillStyle = colours.mark;
		for (const range of state.edit.ranges) {
			const from = whole.x(range.in ?? range.out);

			ctx.fillRect(from, top + height - 4, Math.max(whole.x(range.out ?? range.in) - from, 2), 4);
		}
	}

	function drawArchive(now) {
		const lane = lanes.archive;
		const from = Math.max(now.x(state.archive.from), 0);
		const to = Math.min(now.x(state.archive.to), width);

		ctx.fillStyle = colours.raised;
		ctx.fillRect(from, lane.top, to - from, lane.height);
		drawCovered(ctx, now, lane);
	}

	function drawWave(now) {
		const { top, height } = lanes.wave;
		const from = Math.max(now.x(state.archive.from), 0);
		const to = Math.min(now.x(state.archive.to), width);

		ctx.fillStyle = colours.raised;
		ctx.globalAlpha = 0.6;
		ctx.fillRect(from, top, Math.max(to - from, 0), height);
		ctx.globalAlpha = 1;
		ctx.fillStyle = colours.wave;
		wave.draw(ctx, now, { top, height, ratio });
		if (now.to - now.from <= 2 * LONGEST_VIEW)
			drawHoleShade(ctx, now, coverage.lists(now.from, now.to), { top, height }, colours);
		if (now.to - now.from > LONGEST_VIEW)
			drawHint('Zoom in to an hour or less to see the sound', top, height);
	}

	function drawHint(text, top, height) {
		ctx.font = `12px ${colours.sans}`;
		ctx.fillStyle = colours.quiet;
		ctx.textAlign = 'center';
		ctx.textBaseline = 'middle';
		ctx.fillText(text, width / 2, top + height / 2);
		ctx.textAlign = 'start';
	}

	const isLive = () => Math.abs(Date.now() - state.archive.to) < LIVE;

	/* Where the archive begins and ends: dashed lines. */
	function drawEnds(now) {
		for (const [ms, colour] of [[state.archive.from, colours.edge], [state.archive.to, isLive() ? colours.live : colours.edge]]) {
			const x = Math.round(now.x(ms));

			if (x < 0 || x > width)
				continue;
			ctx.strokeStyle = colour;
			ctx.lineWidth = 1;
			ctx.setLineDash([3, 3]);
			ctx.beginPath();
			ctx.moveTo(x + 0.5, lanes.archive.top);
			ctx.lineTo(x + 0.5, lanes.ranges.top + lanes.ranges.height);
			ctx.stroke();
			ctx.setLineDash([]);
		}
	}

	function draw() {
		const now = scale();

		frame = 0;
		ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
		ctx.clearRect(0, 0, width, lanes.height);
		ctx.fillStyle = colours.ground;
		ctx.fillRect(0, lanes.ranges.top, width, lanes.ranges.height);
		if (state.archive && now) {
			drawOverview();
			drawRuler(ctx, now, state.clock, lanes.ruler, colours);
			drawArchive(now);
			drawWave(now);
			drawEnds(now);
			if (!state.edit.ranges.length)
				drawHint('I and O mark what to cut', lanes.ranges.top, lanes.ranges.height);
			drawRanges(ctx, now, state, lanes, colours);
		}
		drawn(now);
	}

	new ResizeObserver(resize).observe(root);
	matchMedia('(prefers-color-scheme: light)').addEventListener('change', resize);
	coverage.onChange(() => {
		coverageVersion++;
		redraw();
	});
	resize();

	return { redraw, scale, overviewScale, lanes: () => lanes, width: () => width, ratio: () => ratio, colours: () => colours };
}
