/*
 * timeline-input.js - pointer, wheel, touch and keys on the timeline.
 *
 *	wheel, pinch            zooms around the pointer
 *	Shift + wheel, sideways pans, as a drag does
 *	click                   shows that moment; on a range also selects it
 *	drag of a mark          trims; Alt: does not snap
 *	drag of the selected range in its lane   slides it
 *	double click            shows all of a range
 *	overview                moves the view
 *	+ - PageUp PageDown Home End             with the focus
 */
import { createDrags } from './timeline-drags.js';

const SLOP = { mouse: 3, pen: 5, touch: 8 }; /* px before a press is a drag */
const LINE = 16; /* px of a wheel that counts in lines */
const PAGE = 400;
const NEAREST = 20; /* px between two fingers */
const LANES = ['overview', 'ruler', 'archive', 'wave', 'ranges'];

/* Where events are on the canvas.  Asking for its place lays out the page, so only when that may have changed. */
function createPlaces(element, canvas) {
	let box = null;
	const forget = () => {
		box = null;
	};

	element.addEventListener('pointerenter', forget);
	for (const type of ['scroll', 'resize'])
		addEventListener(type, forget, { capture: true, passive: true });

	return (event) => {
		if (!box || event.type === 'pointerdown')
			box = element.getBoundingClientRect();
		const x = event.clientX - box.left;
		const y = event.clientY - box.top;
		const lanes = canvas.lanes();

		return {
			x, y, lane: LANES.findLast((name) => y >= lanes[name].top - 3) ?? 'overview',
			ms: canvas.scale().ms(x), alt: event.altKey, type: event.pointerType || 'mouse',
		};
	};
}

/* Two fingers: what is between them stays there. */
function createPinch(canvas, views, pointers) {
	const measure = () => {
		const [one, two] = [...pointers.values()];

		return { apart: Math.max(Math.abs(one.x - two.x), NEAREST), middle: (one.x + two.x) / 2 };
	};
	let was = measure();

	return function move() {
		const is = measure();

		views.pan((was.middle - is.middle) * canvas.scale().msPerPx);
		views.zoom(was.apart / is.apart, canvas.scale().ms(is.middle));
		was = is;
	};
}

/** One finger or the mouse drags, two pinch. */
function listenToPointers(tl, on, place, drags) {
	const { element, canvas, views } = tl;
	const pointers = new Map();
	let drag = null;
	let pinch = null;

	function begin() {
		drag.begun = true;
		tl.held(true);
		tl.hoverLine(null);
		drag.begin?.();
		element.style.cursor = drag.cursor;
	}

	function end() {
		if (drag?.begun)
			drag.end?.();
		drag = null;
		tl.held(false);
	}

	function hover(at) {
		const isOverview = at.lane === 'overview';
		const scale = isOverview ? canvas.overviewScale() : canvas.scale();
		const mark = drags.onMark(at);
		const range = mark ? null : drags.onRange(at);
		const canSlide = range && range.id === tl.app.store.state.edit.selected;
		const ms = mark?.ms ?? scale.ms(at.x);

		element.style.cursor = mark ? 'ew-resize' : canSlide ? 'grab' : isOverview ? 'pointer' : 'default';
		const hint = mark ? 'drag to trim' : canSlide ? 'drag to slide' : range ? 'click to select' : '';

		tl.tip.show({ x: at.x, ms, msPerPx: scale.msPerPx, hint });
		tl.hoverLine(isOverview ? null : scale.x(ms));
	}

	on('pointerdown', (event) => {
		const at = place(event);

		if (event.button !== 0 || pointers.size === 2)
			return;
		element.setPointerCapture(event.pointerId);
		pointers.set(event.pointerId, at);
		if (pointers.size === 2) {
			end();
			tl.tip.hide();
			tl.held(true);
			pinch = createPinch(canvas, views, pointers);
			return;
		}
		drag = { ...drags.dragOf(at), at };
		if (drag.isAtOnce)
			begin();
	});

	on('pointermove', (event) => {
		const at = place(event);

		if (pointers.has(event.pointerId))
			pointers.set(event.pointerId, at);
		if (pinch)
			return pointers.size === 2 && pinch();
		if (!drag)
			return !pointers.size && at.type !== 'touch' && hover(at);
		if (!drag.begun && Math.abs(at.x - drag.at.x) >= SLOP[at.type])
			begin();
		if (drag.begun)
			drag.move(at);
	});

	function release(event, isClick) {
		const pressed = drag;

		if (!pointers.delete(event.pointerId))
			return;
		if (pinch) {
			pinch = pointers.size ? pinch : null;
			return tl.held(Boolean(pinch));
		}
		end();
		if (isClick && pressed && !pressed.begun)
			pressed.click?.(place(event));
		if (event.pointerType === 'touch')
			tl.tip.hide();
		element.style.cursor = 'default';
	}

	on('pointerup', (event) => release(event, true));
	on('pointercancel', (event) => release(event, false));
	element.addEventListener('pointerleave', () => {
		if (drag)
			return;
		tl.tip.hide();
		tl.hoverLine(null);
	});
}

function listenToWheel(tl, on, place) {
	const { canvas, views, app } = tl;

	on('wheel', (event) => {
		const at = place(event);
		const unit = event.deltaMode === 1 ? LINE : event.deltaMode === 2 ? PAGE : 1;
		const isSideways = event.shiftKey || (Math.abs(event.deltaX) > Math.abs(event.deltaY) && !event.ctrlKey);
		const down = Math.max(-240, Math.min(event.deltaY * unit, 240));
		const { from, to } = app.store.state.view;

		event.preventDefault();
		tl.afterWheel(at.lane === 'overview' ? null : at.x);
		if (isSideways)
			views.pan((event.deltaX || event.deltaY) * unit * canvas.scale().msPerPx);
		else
			/* A pinch on a touchpad comes as a wheel with Ctrl, in small steps. */
			views.zoom(Math.exp(down * (event.ctrlKey ? 0.01 : 0.0022)), at.lane === 'overview' ? (from + to) / 2 : at.ms);
	}, { passive: false });
}

function listenToKeys({ app, views }, on) {
	const { state } = app.store;
	const acts = {
		'+': () => views.glide(1 / 2), '=': () => views.glide(1 / 2), '-': () => views.glide(2),
		PageUp: () => views.page(-1), PageDown: () => views.page(1),
		Home: () => views.seek(state.archive.from), End: () => views.seek(state.archive.to - 1000),
	};

	on('keydown', (event) => {
		const act = acts[event.key];

		if (!act || event.ctrlKey || event.metaKey || event.altKey)
			return;
		event.preventDefault();
		event.stopPropagation();
		act();
	});
}

/** tl: { element, canvas, app, tip, views, tipAt(ms, hint), hoverLine(x), afterWheel(x), held(is) } of timeline.js. */
export function listen(tl) {
	const { state } = tl.app.store;
	const drags = createDrags(tl);
	const place = createPlaces(tl.element, tl.canvas);
	const on = (type, fn, options) => tl.element.addEventListener(type, (event) => {
		if (state.view && state.archive)
			fn(event);
	}, options);

	/* The range in whose lane, or in whose sound, it is. */
	function rangeUnder(at) {
		if (at.lane !== 'wave')
			return drags.onRange(at);
		const range = state.edit.ranges.find((one) => one.in !== null && one.out !== null && one.in <= at.ms && at.ms < one.out);

		return range && { from: range.in, to: range.out };
	}

	listenToPointers(tl, on, place, drags);
	listenToWheel(tl, on, place);
	listenToKeys(tl, on);
	on('dblclick', (event) => {
		const range = rangeUnder(place(event));

		if (range && range.to > range.from)
			tl.views.showRange(range.from, range.to);
	});
}
