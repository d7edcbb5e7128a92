/*
 * timeline-input.js - pointer, wheel, touch and keys on the timeline.
 *
 *	wheel, pinch            zooms around the pointer
 *	Shift + wheel, sideways pans, as a drag does
 *	click                   plays from there
 *	drag of a mark          trims; Alt: does not snap
 *	drag of the selected range in its lane   slides it
 *	double click            shows all of a range
 *	overview                moves the view
 */
import { select, slide, trim } from './edit.js';
import { markNear, rangeAt } from './timeline-ranges.js';
import { snap } from './timeline-scale.js';

const SLOP = { mouse: 3, pen: 5, touch: 8 };
const REACH = { mouse: 7, pen: 10, touch: 20 };
const SNAP = 6;
const LINE = 16; /* px of a wheel that counts in lines */
const PAGE = 400;

/** tl: what timeline.js offers: element, canvas, app, view operations, tip, edges(). */
export function listen(tl) {
	const { element, canvas, app } = tl;
	const { state } = app.store;
	const pointers = new Map();
	let drag = null;
	let pinch = null;
	let box = null;

	function place(event) {
		/* Asking for it lays out the page, so only when a movement begins. */
		if (!box || event.type === 'pointerdown')
			box = element.getBoundingClientRect();
		const x = event.clientX - box.left;
		const y = event.clientY - box.top;
		const lanes = canvas.lanes();
		const lane = ['overview', 'ruler', 'archive', 'wave', 'ranges'].findLast((name) => y >= lanes[name].top - 4) ?? 'overview';

		return { x, y, lane, ms: canvas.scale().ms(x), alt: event.altKey, type: event.pointerType || 'mouse' };
	}

	const onRange = (at) => at.lane === 'ranges' ? rangeAt(state.edit, canvas.scale(), canvas.lanes().ranges, at.x, at.y, state.at) : null;
	const onMark = (at) => at.lane === 'wave' || at.lane === 'ranges' ? markNear(state.edit, canvas.scale(), at.x, REACH[at.type]) : null;

	/* ---- drags */

	function snapped(at, ms, except) {
		if (at.alt)
			return Math.round(ms);
		const marks = state.edit.ranges.flatMap((range) => range.id === except ? [] : [range.in, range.out]);
		const moments = [...marks, state.at, ...tl.edges(ms)].filter((one) => one !== null);

		return Math.floor(snap(ms, moments, SNAP * canvas.scale().msPerPx));
	}

	const trimming = ({ id, mark, ms }, start) => ({
		cursor: 'ew-resize',
		begin: () => {
			app.history.change((edit) => select(edit, id));
			app.history.begin();
		},
		move(at) {
			const other = state.edit.ranges.find((range) => range.id === id)?.[mark === 'in' ? 'out' : 'in'] ?? null;
			const to = snapped(at, ms + at.ms - start.ms, id);

			app.history.change((edit) => trim(edit, id, mark, to));
			const range = state.edit.ranges.find((one) => one.id === id);

			tl.tipAt(range?.[mark] ?? to, other === null ? '' : 'Alt: does not snap');
		},
		end: () => app.history.end(),
	});

	function sliding(range, start) {
		let moved = 0;

		return {
			cursor: 'grabbing',
			begin: () => app.history.begin(),
			move(at) {
				const from = range.from + at.ms - start.ms;
				const to = range.to + at.ms - start.ms;
				const byStart = snapped(at, from, range.id) - range.from;
				const byEnd = snapped(at, to, range.id) - range.to;
				const plain = Math.round(at.ms - start.ms);
				const by = Math.abs(byStart - plain) > 1 ? byStart : Math.abs(byEnd - plain) > 1 ? byEnd : plain;

				app.history.change((edit) => slide(edit, range.id, by - moved));
				moved = by;
				tl.tipAt(range.from + by, 'Alt: does not snap');
			},
			end: () => app.history.end(),
		};
	}

	const panning = (start) => {
		let x = start.x;

		return {
			cursor: 'grabbing',
			move(at) {
				tl.pan((x - at.x) * canvas.scale().msPerPx);
				x = at.x;
				if (at.type === 'touch')
					tl.tipAt(canvas.scale().ms(at.x));
			},
			click: (at) => {
				const range = onRange(at);

				if (range)
					app.history.change((edit) => select(edit, range.id));
				tl.seek(at.ms);
			},
		};
	};

	function seekMark({ id, ms }) {
		app.history.change((edit) => select(edit, id));
		tl.seek(ms);
	}

	/* The window goes where it is taken; a press beside it brings it there. */
	const overviewing = (start) => {
		const whole = canvas.overviewScale();
		const pressed = whole.ms(start.x);
		const isIn = pressed >= state.view.from && pressed <= state.view.to;
		const grip = isIn ? pressed - (state.view.from + state.view.to) / 2 : 0;
		const go = (at) => tl.centre(whole.ms(at.x) - grip);

		return { cursor: 'grabbing', now: true, begin: () => go(start), move: go };
	};

	function dragOf(at) {
		if (at.lane === 'overview')
			return overviewing(at);
		const mark = onMark(at);
		const range = mark ? null : onRange(at);

		if (mark)
			return { ...trimming(mark, at), click: () => seekMark(mark) };
		return range && range.id === state.edit.selected && range.hasIn && range.hasOut
			? { ...sliding(range, at), click: panning(at).click } : panning(at);
	}

	function beginDrag() {
		drag.begun = true;
		tl.held(true);
		drag.begin?.();
		element.style.cursor = drag.cursor;
	}

	function endDrag() {
		if (drag?.begun)
			drag.end?.();
		drag = null;
		tl.held(false);
	}

	/* ---- two fingers */

	function beginPinch() {
		const [one, two] = [...pointers.values()];

		endDrag();
		tl.tip.hide();
		pinch = { apart: Math.max(Math.abs(one.x - two.x), 20), middle: (one.x + two.x) / 2 };
		tl.held(true);
	}

	function movePinch() {
		const [one, two] = [...pointers.values()];
		const apart = Math.max(Math.abs(one.x - two.x), 20);
		const middle = (one.x + two.x) / 2;

		tl.pan((pinch.middle - middle) * canvas.scale().msPerPx);
		tl.zoom(pinch.apart / apart, canvas.scale().ms(middle));
		pinch = { apart, middle };
	}

	/* ---- events */

	function hover(at) {
		const mark = at.lane === 'overview' ? null : onMark(at);
		const range = mark ? null : onRange(at);
		const ms = at.lane === 'overview' ? canvas.overviewScale().ms(at.x) : mark?.ms ?? at.ms;
		const canSlide = range && range.id === state.edit.selected;

		element.style.cursor = mark ? 'ew-resize' : canSlide ? 'grab' : at.lane === 'overview' ? 'pointer' : 'default';
		tl.tip.show({ x: at.x, ms, msPerPx: at.lane === 'overview' ? canvas.overviewScale().msPerPx : canvas.scale().msPerPx,
			hint: mark ? 'drag to trim' : canSlide ? 'drag to slide' : range ? 'click to select' : '' });
		tl.hoverLine(at.lane === 'overview' ? null : canvas.scale().x(ms));
	}

	const on = (type, fn, options) => element.addEventListener(type, (event) => state.view && state.archive && fn(event), options);

	on('pointerdown', (event) => {
		if (event.button !== 0)
			return;
		const at = place(event);

		element.setPointerCapture(event.pointerId);
		pointers.set(event.pointerId, at);
		if (pointers.size === 2)
			return beginPinch();
		if (pointers.size > 2)
			return;
		drag = { ...dragOf(at), at };
		if (drag.now)
			beginDrag();
	});

	on('pointermove', (event) => {
		const at = place(event);

		if (pointers.has(event.pointerId))
			pointers.set(event.pointerId, at);
		if (pinch)
			return movePinch();
		if (!drag)
			return pointers.size || at.type === 'touch' ? undefined : hover(at);
		if (!drag.begun && Math.abs(at.x - drag.at.x) >= SLOP[at.type])
			beginDrag();
		if (drag.begun) {
			drag.move(at);
			tl.hoverLine(null);
		}
	});

	function release(event, isClick) {
		const was = drag;

		pointers.delete(event.pointerId);
		if (pinch) {
			pinch = pointers.size >= 2 ? pinch : null;
			return tl.held(Boolean(pinch));
		}
		if (!was)
			return;
		endDrag();
		if (isClick && !was.begun)
			was.click?.(place(event));
		if (event.pointerType === 'touch')
			tl.tip.hide();
		element.style.cursor = 'default';
	}

	on('pointerup', (event) => release(event, true));
	on('pointercancel', (event) => release(event, false));
	on('pointerleave', () => {
		if (drag)
			return;
		tl.tip.hide();
		tl.hoverLine(null);
	});

	on('dblclick', (event) => {
		const at = place(event);
		const range = onRange(at) ?? (at.lane === 'wave' ? rangeUnder(at.ms) : null);

		if (range && range.to > range.from)
			tl.showRange(range.from, range.to);
	});

	const rangeUnder = (ms) => {
		const range = state.edit.ranges.find((one) => one.in !== null && one.out !== null && one.in <= ms && ms < one.out);

		return range ? { from: range.in, to: range.out } : null;
	};

	element.addEventListener('pointerenter', () => {
		box = null;
	});
	for (const type of ['scroll', 'resize'])
		addEventListener(type, () => {
			box = null;
		}, { capture: true, passive: true });

	on('wheel', (event) => {
		const at = place(event);
		const unit = event.deltaMode === 1 ? LINE : event.deltaMode === 2 ? PAGE : 1;
		const sideways = event.deltaX * unit || (event.shiftKey ? event.deltaY * unit : 0);
		const scale = canvas.scale();

		event.preventDefault();
		if (event.shiftKey || (Math.abs(event.deltaX) > Math.abs(event.deltaY) && !event.ctrlKey))
			tl.pan(sideways * scale.msPerPx);
		else
			tl.zoom(Math.exp(Math.max(-240, Math.min(event.deltaY * unit, 240)) * (event.ctrlKey ? 0.01 : 0.0022)),
				at.lane === 'overview' ? (state.view.from + state.view.to) / 2 : at.ms);
		tl.afterWheel(at.x);
	}, { passive: false });

	const KEYS = {
		'+': () => tl.glide(1 / 2), '=': () => tl.glide(1 / 2), '-': () => tl.glide(2),
		PageUp: () => tl.page(-1), PageDown: () => tl.page(1),
		Home: () => tl.seek(state.archive.from), End: () => tl.seek(state.archive.to - 1000),
	};

	on('keydown', (event) => {
		const act = KEYS[event.key];

		if (!act || event.ctrlKey || event.metaKey || event.altKey)
			return;
		event.preventDefault();
		event.stopPropagation();
		act();
	});
}
