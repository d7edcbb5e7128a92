/*
 * timeline-drags.js - what a press on the timeline does when it moves.
 *
 * A drag is { cursor, begin(), move(at), end(), click(at) }, all but cursor and
 * move optional; click is for a press that did not move.  at: { x, y, lane, ms,
 * alt, type }.
 */
import { select, slide, trim } from './edit.js';
import { markNear, rangeAt } from './timeline-ranges.js';
import { snap } from './timeline-scale.js';

const REACH = { mouse: 7, pen: 10, touch: 20 };
const SNAP = 6; /* px */
const NO_SNAP = 'Alt: does not snap';

/** tl: of timeline.js; returns { dragOf(at), onMark(at), onRange(at) }. */
export function createDrags({ app, canvas, views, tipAt }) {
	const { state } = app.store;
	const rangeOf = (id) => state.edit.ranges.find((range) => range.id === id);

	const onRange = (at) => at.lane === 'ranges' ? rangeAt(state.edit, canvas.scale(), canvas.lanes().ranges, at.x, at.y, state.at) : null;
	const onMark = (at) => at.lane === 'wave' || at.lane === 'ranges' ? markNear(state.edit, canvas.scale(), at.x, REACH[at.type]) : null;

	/* A whole moment: at what is near, other than the range that moves itself. */
	function snapped(at, ms, id) {
		if (at.alt)
			return Math.round(ms);
		const marks = state.edit.ranges.flatMap((range) => range.id === id ? [] : [range.in, range.out]);
		const moments = [...marks, state.at, ...views.edges(ms)].filter((one) => one !== null);

		return Math.floor(snap(ms, moments, SNAP * canvas.scale().msPerPx));
	}

	const trimming = ({ id, mark, ms }, start) => ({
		cursor: 'ew-resize',
		begin() {
			app.history.change((edit) => select(edit, id));
			app.history.begin();
		},
		move(at) {
			const to = snapped(at, ms + at.ms - start.ms, id);

			app.history.change((edit) => trim(edit, id, mark, to));
			tipAt(rangeOf(id)?.[mark] ?? to, NO_SNAP);
		},
		end: () => app.history.end(),
		click() {
			app.history.change((edit) => select(edit, id));
			views.seek(ms);
		},
	});

	/* By how much a range moves: either end snaps. */
	function slideBy(at, range, plain) {
		for (const end of [range.from, range.to]) {
			const by = snapped(at, end + plain, range.id) - end;

			if (Math.abs(by - plain) > 1)
				return by;
		}
		return Math.round(plain);
	}

	function sliding(range, start) {
		let moved = 0;

		return {
			cursor: 'grabbing',
			begin: () => app.history.begin(),
			move(at) {
				const by = slideBy(at, range, at.ms - start.ms);

				app.history.change((edit) => slide(edit, range.id, by - moved));
				moved = by;
				tipAt(range.from + by, NO_SNAP);
			},
			end: () => app.history.end(),
			click,
		};
	}

	function click(at) {
		const range = onRange(at);

		if (range)
			app.history.change((edit) => select(edit, range.id));
		views.seek(at.ms);
	}

	function panning({ x }) {
		return {
			cursor: 'grabbing',
			move(at) {
				views.pan((x - at.x) * canvas.scale().msPerPx);
				x = at.x;
				if (at.type === 'touch')
					tipAt(at.ms);
			},
			click,
		};
	}

	/* The window goes where it is taken; a press beside it brings it there. */
	function overviewing(start) {
		const whole = canvas.overviewScale();
		const pressed = whole.ms(start.x);
		const isIn = pressed >= state.view.from && pressed <= state.view.to;
		const grip = isIn ? pressed - (state.view.from + state.view.to) / 2 : 0;
		const move = (at) => views.centre(whole.ms(at.x) - grip);

		return { cursor: 'grabbing', isAtOnce: true, begin: () => move(start), move };
	}

	return {
		onMark, onRange,
		dragOf(at) {
			if (at.lane === 'overview')
				return overviewing(at);
			const mark = onMark(at);
			const range = mark ? null : onRange(at);

			if (mark)
				return trimming(mark, at);
			return range?.hasIn && range.hasOut && range.id === state.edit.selected ? sliding(range, at) : panning(at);
		},
	};
}
