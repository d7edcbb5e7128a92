/*
 * join.js - what is between two ranges: a hard cut or a transition, and a look
 * at it as the cut will have it.
 */
import * as edits from './edit.js';
import { el, icon, setText } from './dom.js';
import { joinUrl } from './player.js';
import { TRANSITIONS } from './transitions.js';

/** Joins are kept by their place; update(edit) shows what is there. */
export function mountJoin(app, i) {
	const { store, history } = app;
	const type = el('select', { 'aria-label': `Transition between ${i + 1} and ${i + 2}` },
		el('option', { value: '' }, 'hard cut'),
		...Object.entries(TRANSITIONS).map(([label, names]) => {
			const group = el('optgroup', {}, ...names.map((name) => el('option', { value: name }, name)));

			group.label = label;
			return group;
		}));
	const seconds = el('input', { type: 'number', min: '0.1', max: '60', step: '0.1', value: '1', 'aria-label': 'Seconds' });
	const wrong = el('span', { class: 'bad small', hidden: true });
	const look = el('button', { type: 'button', class: 'small look', title: 'As the cut will have it', on: { click: () => app.preview(joinUrl(store.state, wholePlace()), `From ${i + 1} to ${i + 2}`) } }, icon('play'), 'Look');

	/* The place among the ranges that have both marks. */
	function wholePlace() {
		const { edit } = store.state;
		const id = edit.ranges[i].id;

		return edits.wholeOf(edit).ranges.findIndex((range) => range.id === id);
	}

	function set() {
		const length = Math.min(Math.max(Number(seconds.value) || 1, 0.04), 60);

		history.change((edit) => edits.join(edit, i, type.value ? { type: type.value, seconds: length } : null));
	}

	type.addEventListener('change', set);
	seconds.addEventListener('change', set);
	return {
		node: el('li', { class: 'join' }, type,
			el('label', { class: 'field seconds' }, seconds, el('span', {}, 's')), look, wrong),
		update(edit) {
			const join = edit.joins[i];
			const longest = edits.longestJoin(edit, i);

			type.value = join?.type ?? '';
			if (join && document.activeElement !== seconds)
				seconds.value = String(join.seconds);
			seconds.parentElement.hidden = !join;
			look.disabled = !longest;
			wrong.hidden = !join || join.seconds * 1000 <= longest;
			setText(wrong, `longer than a range`);
		},
	};
}
