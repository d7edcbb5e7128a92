/*
 * marks.js - marks at the picture that is shown, as keys and buttons set them.
 *
 * The picture is in the range either way: in is its own moment, out is the
 * moment of the next one.
 */
import * as edits from './edit.js';
import { formatTime } from './time.js';

export function createMarks(app) {
	const { store, history, player } = app;
	const { state } = store;
	let nudged = null; /* { mark, moment }: where the last one was put, and its exact moment */

	/* The whole millisecond (time.js) of the picture that is shown, or of the one behind it. */
	const here = () => Math.floor(state.at + 1e-3);
	const behind = () => Math.floor(state.at + state.frameMs + 1e-3);

	/* The moment n pictures on from a mark.  Fractions of milliseconds are remembered: they add up. */
	function onFrom(mark, n) {
		const isShown = state.at !== null && Math.floor(state.at + 1e-3) === mark;
		const from = nudged?.mark === mark ? nudged.moment : isShown ? state.at : mark;
		const moment = from + n * state.frameMs;

		nudged = { mark: Math.floor(moment + 1e-3), moment };
		return nudged.mark;
	}

	const say = (what, ms) => app.say(`${what} ${formatTime(ms, state.clock)}`);

	return {
		markIn() {
			if (state.at === null)
				return;
			history.change((edit) => edits.markIn(edit, here()));
			say('In', here());
		},

		markOut() {
			if (state.at === null)
				return;
			if (history.change((edit) => edits.markOut(edit, behind())))
				say('Out', behind());
			else
				app.say('The out mark must be behind the in mark. N begins another range.', { kind: 'bad' });
		},

		add() {
			if (state.at === null)
				return;
			history.change((edit) => edits.add(edit, here(), null));
			say('New range from', here());
		},

		remove(id = state.edit.selected) {
			if (id !== null && history.change((edit) => edits.remove(edit, id)))
				app.say('Range removed', { action: { label: 'Undo', run: () => history.undo() } });
		},

		/** Moves a mark by pictures, and shows the picture at it. */
		nudge(id, mark, pictures) {
			history.change((edit) => {
				const range = edit.ranges.find((one) => one.id === id);

				return range?.[mark] == null ? edit
					: edits.trim(edit, id, mark, onFrom(range[mark], pictures));
			});
			this.show(id, mark);
		},

		/** Shows the first picture of a range, or the last. */
		show(id, mark) {
			const range = state.edit.ranges.find((one) => one.id === id);

			if (range?.[mark] == null)
				return;
			history.change((edit) => edits.select(edit, id));
			player.pause();
			player.seek(mark === 'in' ? range.in : range.out - Math.round(state.frameMs));
		},

		undo() {
			if (!history.undo())
				app.say('Nothing to undo');
		},

		redo() {
			if (!history.redo())
				app.say('Nothing to do again');
		},
	};
}
