/*
 * timeline.js - the timeline: all of the archive, what is in it, its sound and
 * the ranges of the edit, with the moment that is shown.
 *
 *	timeline-bar.js       the row above: what is shown, zoom
 *	timeline-canvas.js    the canvas and its lanes
 *	timeline-input.js     pointer, wheel, touch, keys
 *	timeline-tip.js       the picture under the pointer
 *	timeline-views.js     what is shown, and how one goes elsewhere
 *	timeline-scale.js     views and pixels
 */
import { el, setText } from './dom.js';
import { createBar } from './timeline-bar.js';
import { createTimelineCanvas } from './timeline-canvas.js';
import { stateAt } from './timeline-coverage.js';
import { listen } from './timeline-input.js';
import { createTip } from './timeline-tip.js';
import { formatClock } from './time.js';
import { dayLabel } from './timeline-ticks.js';
import { createViews } from './timeline-views.js';
import { createWave } from './wave.js';

const SPOKEN = 1000; /* ms between what is told to screen readers */

function build() {
	const parts = {
		surface: el('canvas', {
			tabindex: '0', role: 'slider', 'aria-label': 'Position in the archive',
			'aria-valuemin': '0', 'aria-valuemax': '0', 'aria-valuenow': '0',
		}),
		head: el('div', { class: 'tl-head', hidden: true }),
		overviewHead: el('div', { class: 'tl-head tl-overview-head', hidden: true }),
		line: el('div', { class: 'tl-line', hidden: true }),
		status: el('div', { class: 'tl-status quiet', role: 'status' }),
	};
	const over = el('div', { class: 'tl-over', 'aria-hidden': 'true' }, parts.line, parts.overviewHead, parts.head);

	return { ...parts, area: el('div', { class: 'tl-area' }, parts.surface, over, parts.status) };
}

/* What moves above the canvas: the moment shown, in both scales, and the pointer's. */
function createHeads(app, canvas, { head, overviewHead, line }) {
	const { state } = app.store;
	let frame = 0;

	function put(node, x, { top, height }) {
		node.hidden = x === null || x < -1 || x > canvas.width() + 1;
		if (node.hidden)
			return;
		node.style.transform = `translate(${Math.round(x * canvas.ratio()) / canvas.ratio()}px, ${top}px)`;
		if (node.style.height !== `${height}px`)
			node.style.height = `${height}px`;
	}

	const reach = ({ ruler, ranges }) => ({ top: ruler.top, height: ranges.top + ranges.height - ruler.top });

	function place() {
		const scale = state.archive && state.at !== null ? canvas.scale() : null;
		const lanes = canvas.lanes();

		frame = 0;
		put(head, scale ? scale.x(state.at) : null, reach(lanes));
		put(overviewHead, scale ? canvas.overviewScale().x(state.at) : null, lanes.overview);
	}

	return {
		place,
		soon: () => {
			frame ||= requestAnimationFrame(place);
		},
		line: (x) => put(line, x, reach(canvas.lanes())),
	};
}

/* The slider's value in words, at most once a second. */
function createVoice(app, surface) {
	const { state } = app.store;
	let timer = 0;

	function speak() {
		const { at, archive, clock, view } = state;

		timer = 0;
		if (at === null || !archive || !view)
			return;
		const what = stateAt(at, view, archive, app.coverage);

		surface.setAttribute('aria-valuemax', String(Math.round((archive.to - archive.from) / 1000)));
		surface.setAttribute('aria-valuenow', String(Math.round((at - archive.from) / 1000)));
		surface.setAttribute('aria-valuetext',
			[dayLabel(at, clock), formatClock(at, clock, 0), what === 'covered' ? '' : what].filter(Boolean).join(', '));
	}

	surface.addEventListener('focus', speak);
	return () => {
		timer ||= setTimeout(speak, SPOKEN);
	};
}

function statusOf({ archive, isEmpty, quality }) {
	if (archive || !quality)
		return '';
	return isEmpty ? 'Nothing has been recorded yet' : 'Looking into the archive…';
}

/** Puts it into root; returns { reveal(from, to) }, which shows a range. */
export function mountTimeline(root, app) {
	const { store, coverage } = app;
	const { state } = store;
	const parts = build();
	const views = createViews(app);
	const wave = createWave(app, () => canvas.redraw());
	const bar = createBar(app, coverage, views);
	let shownOf = state.channel;
	let isHeld = false;
	let hoverX = null;
	let hoverView = null; /* the view in which the tip was placed */

	root.append(bar.node, parts.area);
	const canvas = createTimelineCanvas(parts.area, parts.surface, app, { coverage, wave, drawn });
	const heads = createHeads(app, canvas, parts);
	const tip = createTip(app, coverage, canvas);
	const speak = createVoice(app, parts.surface);

	root.append(tip.node);

	function hoverLine(x) {
		hoverX = x;
		hoverView = state.view;
		heads.line(x);
	}

	function tipAt(ms, hint = '') {
		const scale = canvas.scale();

		tip.show({ x: scale.x(ms), ms, msPerPx: scale.msPerPx, hint });
	}

	function drawn(scale) {
		heads.place();
		bar.update();
		setText(parts.status, statusOf(state));
		if (!scale)
			return;
		wave.want(scale, scale.msPerPx / canvas.ratio());
		/* The view went on under a pointer that rests. */
		if (hoverX !== null && hoverView !== state.view && !isHeld) {
			tipAt(scale.ms(hoverX));
			hoverLine(hoverX);
		}
	}

	store.watch(['archive', 'channel'], ({ channel }) => {
		views.begin(channel !== shownOf);
		shownOf = channel;
		canvas.redraw();
	});
	store.watch(['view', 'clock', 'edit', 'following', 'quality', 'isEmpty'], () => canvas.redraw());
	store.watch(['health'], ({ health }) => health === 'ok' && canvas.redraw());
	store.watch(['at'], ({ edit }) => {
		views.follow(isHeld);
		heads.soon();
		speak();
		/* One that is open grows. */
		if (edit.ranges.some((range) => range.in === null || range.out === null))
			canvas.redraw();
	});
	listen({
		element: parts.surface, canvas, app, tip, views, tipAt, hoverLine,
		afterWheel(x) {
			hoverX = x;
			hoverView = null;
			views.stop();
		},
		held(is) {
			isHeld = is;
			if (is)
				views.stop();
		},
	});

	return { reveal: views.showRange };
}
