/*
 * strip.js - the edit as a strip: a card a range, and what joins them between.
 */
import * as edits from './edit.js';
import { el, icon, setText } from './dom.js';
import { mountCard } from './card.js';
import { mountJoin } from './join.js';
import { formatDuration } from './time.js';

const button = (label, drawing, text, run, props = {}) =>
	el('button', { type: 'button', title: label, 'aria-label': text ? null : label, class: text ? '' : 'icon', on: { click: run }, ...props },
		icon(drawing), text);

function mountHead(app) {
	const { store, history, marks, player } = app;
	const sum = el('span', { class: 'quiet time', id: 'edit-sum' });
	const undo = button('Undo (Ctrl Z)', 'undo', '', () => marks.undo(), { id: 'undo' });
	const redo = button('Do again (Ctrl Shift Z)', 'redo', '', () => marks.redo(), { id: 'redo' });
	const play = button('Play this edit (E)', 'play', 'Play this edit', () => player.playEdit(), { id: 'play-edit', class: 'primary' });
	const leave = button('Back to the archive', 'close', 'Leave the edit', () => player.leaveEdit(), { id: 'leave-edit' });

	store.watch(['edit', 'mode'], ({ edit, mode }) => {
		const whole = edits.wholeOf(edit).ranges.length;
		const open = edit.ranges.length - whole;

		setText(sum, !edit.ranges.length ? ''
			: `${whole} ${whole === 1 ? 'range' : 'ranges'}, ${formatDuration(edits.lengthOf(edit), 3)}${open ? `, ${open} not finished` : ''}`);
		undo.disabled = !history.canUndo();
		redo.disabled = !history.canRedo();
		play.disabled = !whole;
		leave.hidden = mode !== 'edit';
	});
	return el('div', { class: 'head row' },
		el('h2', {}, 'Edit'), sum, el('div', { class: 'spacer' }), leave, undo, redo,
		button('New range from here (N)', 'plus', 'New range', () => marks.add(), { id: 'new-range' }), play);
}

/* Puts nodes in this order, moving only those that are elsewhere: what has the focus keeps it. */
function arrange(root, nodes) {
	nodes.forEach((node, i) => {
		if (root.children[i] !== node)
			root.insertBefore(node, root.children[i] ?? null);
	});
	while (root.children.length > nodes.length)
		root.lastChild.remove();
}

export function mountStrip(root, app) {
	const { store } = app;
	const list = el('ol', { class: 'cards', tabIndex: 0, 'aria-label': 'Ranges of the edit' });
	const empty = el('div', { class: 'state empty' },
		el('p', {}, 'No ranges yet. Press ', el('kbd', {}, 'I'), ' at the first picture and ', el('kbd', {}, 'O'),
			' at the last, or use the buttons below the video.'));
	const cards = new Map(); /* by the range's id */
	const joins = []; /* by place */

	root.append(mountHead(app), empty, list);
	store.watch(['edit', 'clock', 'channel', 'quality', 'frameMs'], ({ edit }) => {
		const nodes = [];

		for (const id of [...cards.keys()])
			if (!edit.ranges.some((range) => range.id === id))
				cards.delete(id);
		edit.ranges.forEach((range, i) => {
			if (!cards.has(range.id))
				cards.set(range.id, mountCard(app, range.id));
			joins[i] ??= mountJoin(app, i);
			cards.get(range.id).update(range, i);
			nodes.push(cards.get(range.id).node);
			if (i + 1 < edit.ranges.length) {
				joins[i].update(edit);
				nodes.push(joins[i].node);
			}
		});
		list.hidden = !nodes.length;
		empty.hidden = nodes.length > 0;
		arrange(list, nodes);
	});
	/* The range that is marked is in sight. */
	store.watch(['edit'], ({ edit }) => {
		const card = cards.get(edit.selected)?.node;

		if (card && card.dataset.was !== String(edit.ranges.length))
			list.scrollTo({ left: card.offsetLeft - list.clientWidth / 2 + card.offsetWidth / 2 });
		if (card)
			card.dataset.was = String(edit.ranges.length);
	});
}
