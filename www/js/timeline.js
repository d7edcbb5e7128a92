/*
 * timeline.js - the timeline: all of the archive, what is in it, its sound and
 * the ranges of the edit, with the moment that is shown.
 *
 *	timeline-bar.js       the row above: what is shown, zoom
 *	timeline-canvas.js    the canvas and its lanes
 *	timeline-input.js     pointer, wheel, touch, keys
 *	timeline-tip.js       the picture under the pointer
 *	timeline-scale.js     views and pixels
 *
 * Sets store.view: { from, to }, or null while there is no archive.
 */
import { el, setText } from './dom.js';
import { createBar } from './timeline-bar.js';
import { createTimelineCanvas } from './timeline-canvas.js';
import { LONGEST_LISTS, stateAt } from './timeline-coverage.js';
import { firstBehind } from './coverage-lists.js';
import { listen } from './timeline-input.js';
import { centreView, clampView, followView, limitsOf, panView, zoomView } from './timeline-scale.js';
import { createTip } from './timeline-tip.js';
import { formatClock, HOUR, MINUTE } from './time.js';
import { dayLabel } from './timeline-ticks.js';
import { createWave } from './wave.js';

const FIRST_VIEW = 10 * MINUTE;
const GLIDE = 160; /* ms that a zoom by a button takes */
const SPOKEN = 1000; /* ms between what is told to screen readers */

/** Puts it into root; returns { reveal(ms), showRange(from, to) } for others. */
export function mountTimeline(root, app) {
	const { store, coverage } = app;
	const { state } = store;
	const still = matchMedia('(prefers-reduced-motion: reduce)');
	const surface = el('canvas', {
		tabindex: '0', role: 'slider', 'aria-label': 'Position in the archive', 'aria-valuemin': '0', 'aria-valuemax': '0', 'aria-valuenow': '0',
	});
	const head = el('div', { class: 'tl-head', hidden: true });
	const overviewHead = el('div', { class: 'tl-head tl-overview-head', hidden: true });
	const line = el('div', { class: 'tl-line', hidden: true });
	const over = el('div', { class: 'tl-over', 'aria-hidden': 'true' }, line, overviewHead, head);
	const status = el('div', { class: 'tl-status quiet', role: 'status' });
	const area = el('div', { class: 'tl-area' }, surface, over, status);
	let isHeld = false;
	let was = null;
	let spokenTimer = 0;
	let glideFrame = 0;
	let headFrame = 0;
	let hoverX = null;
	let hoverView = null; /* the view in which the tip was placed */

	const wave = createWave(app, () => canvas.redraw());
	root.append(area);
	const canvas = createTimelineCanvas(area, surface, app, { coverage, wave, drawn });
	const tip = createTip(app, coverage, canvas);
	const bar = createBar(app, coverage, { zoom: glide, show, fit, now, nextHole });
	root.prepend(bar.node);
	root.append(tip.node);

	/* ---- views */

	function setView(view) {
		if (state.view && view.from === state.view.from && view.to === state.view.to)
			return;
		store.set({ view });
	}

	const stopGlide = () => cancelAnimationFrame(glideFrame);
	const zoom = (factor, at) => setView(zoomView(state.view, factor, at, state.archive));
	const pan = (ms) => setView(panView(state.view, ms, state.archive));
	const centre = (at, span = state.view.to - state.view.from) => setView(centreView(span, at, state.archive));

	/* To another view, seen to move there. */
	function glideTo(view) {
		const from = state.view;
		const began = performance.now();
		const to = clampView(view, state.archive);

		function step(time) {
			const done = Math.min(Math.max((time - began) / GLIDE, 0), 1);
			const eased = 1 - (1 - done) ** 3;
			/* Lengths by their ratio, so that a zoom over decades is even. */
			const span = (from.to - from.from) * ((to.to - to.from) / (from.to - from.from)) ** eased;
			const share = to.to - to.from === from.to - from.from ? eased
				: (span - (from.to - from.from)) / (to.to - to.from - (from.to - from.from));
			const start = from.from + (to.from - from.from) * share;

			setView(done === 1 ? to : { from: start, to: start + span });
			if (done < 1)
				glideFrame = requestAnimationFrame(step);
		}
		stopGlide();
		if (still.matches)
			setView(to);
		else
			glideFrame = requestAnimationFrame(step);
	}

	/* Where buttons and keys zoom to: what is played, if one sees it. */
	const anchor = () => state.at !== null && state.at >= state.view.from && state.at <= state.view.to
		? state.at : (state.view.from + state.view.to) / 2;

	function glide(factor) {
		if (state.view)
			glideTo(zoomView(state.view, factor, anchor(), state.archive));
	}

	function show(span) {
		if (state.view)
			glideTo(zoomView(state.view, span / (state.view.to - state.view.from), anchor(), state.archive));
	}

	function fit() {
		if (state.archive)
			glideTo(limitsOf(state.archive));
	}

	function showRange(from, to) {
		const room = (to - from) * 0.08;

		glideTo({ from: from - room, to: to + room });
	}

	function now() {
		if (!state.archive)
			return;
		const span = state.view.to - state.view.from;

		glideTo({ from: state.archive.to - span * 0.9, to: state.archive.to + span * 0.1 });
		app.player?.follow();
	}

	function nextHole() {
		const { archive, view } = state;

		if (!view || !archive)
			return;
		const list = view.to - view.from <= LONGEST_LISTS ? coverage.lists(view.from, view.to).holes : longHoles();
		const from = state.at !== null && state.at >= view.from && state.at <= view.to ? state.at : view.from;
		const hole = list.find((one) => one.from > from && one.from < view.to) ?? list.find((one) => one.to > view.from && one.from < view.to);

		if (!hole)
			return;
		if (view.to - view.from > LONGEST_LISTS)
			return glideTo({ from: hole.from - HOUR / 2, to: hole.to + HOUR / 2 });
		seek(Math.max(hole.from - 1000, archive.from));
	}

	/* Hours in which something is missing, where that is all that one sees. */
	const longHoles = () => coverage.hours()
		.filter((hour) => hour.missing > 0 && hour.from >= state.archive.from && hour.from + HOUR <= state.archive.to)
		.map((hour) => ({ from: hour.from, to: hour.from + HOUR }));

	function seek(ms) {
		const { from, to } = state.archive;

		app.player?.seek(Math.min(Math.max(ms, from), to));
	}

	/** Shows a moment if the view does not. */
	function reveal(ms) {
		if (state.view && (ms < state.view.from || ms > state.view.to))
			centre(ms);
	}

	/* Edges of holes near a moment, to snap to. */
	function edges(ms) {
		const { view, archive } = state;

		if (view.to - view.from > LONGEST_LISTS)
			return [];
		const { holes } = coverage.lists(view.from, view.to);
		const i = firstBehind(holes, ms);

		return [archive.from, archive.to, ...holes.slice(Math.max(i - 1, 0), i + 2).flatMap((hole) => [hole.from, hole.to])];
	}

	/* ---- what lies above the canvas */

	function put(node, x, { top, height }) {
		node.hidden = x === null || x < -1 || x > canvas.width() + 1;
		if (node.hidden)
			return;
		node.style.transform = `translate(${Math.round(x * canvas.ratio()) / canvas.ratio()}px, ${top}px)`;
		if (node.style.height !== `${height}px`)
			node.style.height = `${height}px`;
	}

	const span = (lanes) => ({ top: lanes.ruler.top, height: lanes.ranges.top + lanes.ranges.height - lanes.ruler.top });

	function putHeads() {
		const scale = canvas.scale();
		const lanes = canvas.lanes();
		const known = scale && state.at !== null;

		headFrame = 0;
		put(head, known ? scale.x(state.at) : null, span(lanes));
		put(overviewHead, known && state.archive ? canvas.overviewScale().x(state.at) : null, lanes.overview);
	}

	function hoverLine(x) {
		hoverX = x;
		hoverView = state.view;
		put(line, x, span(canvas.lanes()));
	}

	function tipAt(ms, hint = '') {
		const scale = canvas.scale();

		tip.show({ x: scale.x(ms), ms, msPerPx: scale.msPerPx, hint });
	}

	function afterWheel(x) {
		hoverX = x;
		hoverView = null;
		stopGlide();
	}

	function drawn(scale) {
		putHeads();
		bar.update();
		if (scale)
			wave.want(scale, scale.msPerPx / canvas.ratio());
		/* The view went on under a pointer that rests. */
		if (scale && hoverX !== null && hoverView !== state.view && !isHeld) {
			tip.show({ x: hoverX, ms: scale.ms(hoverX), msPerPx: scale.msPerPx });
			hoverLine(hoverX);
		}
		setText(status, state.archive ? '' : state.isEmpty ? 'Nothing has been recorded yet' : state.quality ? 'Looking into the archive…' : '');
	}

	/* ---- the moment shown */

	function follow() {
		if (state.at === was)
			return;
		if (state.view && state.archive && state.at !== null && !isHeld)
			setView(followView(state.view, was, state.at, state.archive));
		was = state.at;
		headFrame ||= requestAnimationFrame(putHeads);
		if (state.edit.ranges.some((range) => range.in === null || range.out === null))
			canvas.redraw();
		spokenTimer ||= setTimeout(speak, SPOKEN);
	}

	function speak() {
		const { at, archive, clock, view } = state;

		spokenTimer = 0;
		if (at === null || !archive || !view)
			return;
		const what = stateAt(at, view, archive, coverage);

		surface.setAttribute('aria-valuemax', String(Math.round((archive.to - archive.from) / 1000)));
		surface.setAttribute('aria-valuenow', String(Math.round((at - archive.from) / 1000)));
		surface.setAttribute('aria-valuetext', [dayLabel(at, clock), formatClock(at, clock, 0), what === 'covered' ? '' : what].filter(Boolean).join(', '));
	}

	/* ---- what changes */

	let shownOf = state.channel;

	/* The first view, and that of another channel: around what is shown, if that is there. */
	function onArchive() {
		const { archive, at, channel, view } = state;
		const isIn = (ms) => ms !== null && ms >= archive.from && ms <= archive.to;

		if (channel !== shownOf) {
			shownOf = channel;
			was = null;
			store.set({ view: null });
		}
		if (archive && (!state.view || view.to < archive.from || view.from > archive.to))
			store.set({ view: isIn(at) ? centreView(FIRST_VIEW, at, archive)
				: clampView({ from: archive.to - FIRST_VIEW * 0.92, to: archive.to + FIRST_VIEW * 0.08 }, archive) });
		canvas.redraw();
	}

	store.watch(['archive', 'channel'], onArchive);
	store.watch(['view', 'clock', 'edit', 'following', 'quality', 'isEmpty'], () => canvas.redraw());
	store.watch(['at'], follow);
	store.watch(['health'], ({ health }) => health === 'ok' && canvas.redraw());
	surface.addEventListener('focus', speak);

	listen({
		element: surface, canvas, app, tip, edges, seek, pan, zoom, centre, showRange, glide, tipAt, hoverLine, afterWheel,
		page: (pages) => glideTo(panView(state.view, pages * (state.view.to - state.view.from), state.archive)),
		held(is) {
			isHeld = is;
			stopGlide();
		},
	});

	return { reveal, showRange };
}
