/*
 * keys.js - the keyboard: one table of keys, from which the help is made.
 */
import { clear, el, icon } from './dom.js';
import { MINUTE, SECOND } from './time.js';

/* [keys as shown, [key, modifiers...]..., what, does] */
function table(app) {
	const { player, marks, store } = app;
	const { state } = store;
	const by = (ms) => () => player.skip(ms);
	const selected = () => state.edit.selected;
	const nudge = (mark, n) => () => marks.nudge(selected(), mark, n);

	return [
		['Playing', [
			['Space or K', ['Space', 'KeyK'], 'play and pause', () => player.toggle()],
			['J', ['KeyJ'], 'backwards; again: faster', () => player.shuttle(-1)],
			['L', ['KeyL'], 'forwards; again: faster', () => player.shuttle(1)],
			[', and .', ['Comma'], 'a picture back and forward', () => player.step(-1)],
			[null, ['Period'], null, () => player.step(1)],
			['← and →', ['ArrowLeft'], '5 seconds back and forward', by(-5 * SECOND)],
			[null, ['ArrowRight'], null, by(5 * SECOND)],
			['Shift ← and →', ['Shift+ArrowLeft'], 'a minute back and forward', by(-MINUTE)],
			[null, ['Shift+ArrowRight'], null, by(MINUTE)],
			['F', ['KeyF'], 'follow the stream', () => player.follow()],
			['M', ['KeyM'], 'sound off and on', () => store.set({ muted: !state.muted })],
			['G', ['KeyG'], 'go to a time', () => document.getElementById('jump-time').focus()],
		]],
		['Marking', [
			['I and O', ['KeyI'], 'in and out at this picture', () => marks.markIn()],
			[null, ['KeyO'], null, () => marks.markOut()],
			['N', ['KeyN'], 'another range from here', () => marks.add()],
			['Shift I and O', ['Shift+KeyI'], 'show the first and the last picture', () => marks.show(selected(), 'in')],
			[null, ['Shift+KeyO'], null, () => marks.show(selected(), 'out')],
			['[ and ]', ['BracketLeft'], 'in mark a picture earlier and later', nudge('in', -1)],
			[null, ['BracketRight'], null, nudge('in', 1)],
			['Shift [ and ]', ['Shift+BracketLeft'], 'out mark a picture earlier and later', nudge('out', -1)],
			[null, ['Shift+BracketRight'], null, nudge('out', 1)],
			['Delete', ['Delete', 'Backspace'], 'remove the range', () => marks.remove()],
			['E', ['KeyE'], 'play this edit', () => player.playEdit()],
			['Ctrl Z', ['Ctrl+KeyZ'], 'undo', () => marks.undo()],
			['Ctrl Shift Z', ['Ctrl+Shift+KeyZ', 'Ctrl+KeyY'], 'do again', () => marks.redo()],
		]],
		['The page', [
			['1, 2, 3', ['Digit1'], 'chat, cut, picture', () => app.openTab('chat')],
			[null, ['Digit2'], null, () => app.openTab('cut')],
			[null, ['Digit3'], null, () => app.openTab('picture')],
			['/', ['Slash'], 'search the chat', () => app.searchChat()],
			['?', ['Shift+Slash'], 'these keys', () => app.openHelp()],
		]],
	];
}

/* Layouts have , . / [ ] elsewhere: what is typed counts for these, the key's place for letters of layouts without them. */
const TYPED = { ',': 'Comma', '.': 'Period', '/': 'Slash', '?': 'Shift+Slash', '[': 'BracketLeft', ']': 'BracketRight',
	'{': 'Shift+BracketLeft', '}': 'Shift+BracketRight' };

function nameOf(event) {
	const ctrl = event.ctrlKey || event.metaKey ? 'Ctrl+' : '';
	const shift = event.shiftKey ? 'Shift+' : '';

	if (!ctrl && TYPED[event.key])
		return TYPED[event.key];
	if (/^[a-z]$/i.test(event.key))
		return `${ctrl}${shift}Key${event.key.toUpperCase()}`;
	if (/^[0-9]$/.test(event.key))
		return `${ctrl}Digit${event.key}`;
	return `${ctrl}${shift}${event.code}`;
}

/* Where keys are someone else's: text, lists, and what Space presses. */
function isTaken(event, name) {
	const at = event.target;

	if (at.closest?.('dialog, textarea, [contenteditable]'))
		return true;
	if (at.matches?.('select') || at.matches?.('input:not([type="checkbox"]):not([type="radio"]):not([type="range"])'))
		return true;
	if (name === 'Space')
		return at.closest?.('button, a, summary, input') !== null && at !== document.body;
	if (name.includes('Arrow'))
		return at.matches?.('input, [role="tab"], [data-arrows], [data-arrows] *');
	return false;
}

function fillHelp(dialog, groups) {
	clear(dialog).append(
		el('div', { class: 'row' }, el('h2', { id: 'keys-title' }, 'Keys'), el('div', { class: 'spacer' }),
			el('button', { type: 'button', class: 'icon bare', 'aria-label': 'Close', on: { click: () => dialog.close() } }, icon('close'))),
		el('div', { class: 'keys' }, ...groups.map(([title, rows]) => el('section', {}, el('h3', {}, title),
			el('dl', {}, ...rows.filter(([shown]) => shown).flatMap(([shown, , what]) => [
				el('dt', {}, ...shown.split(' ').map((word) => /^(and|or)$/.test(word) ? ` ${word} ` : el('kbd', {}, word.replace(/,$/, '') || word))),
				el('dd', {}, what),
			]))))),
		el('p', {}, 'On the timeline the wheel or two fingers zoom, Shift and the wheel or dragging moves it, a double click shows a range whole. Drag a mark to move it: it snaps to what is near unless Alt is held. With the focus on it, ',
			el('kbd', {}, '+'), ' and ', el('kbd', {}, '−'), ' zoom, ', el('kbd', {}, 'PageUp'), ' ', el('kbd', {}, 'PageDown'), ' move it.'),
		el('p', { class: 'small quiet' },
			'Everything here is also a URL: see the lines to copy in the Cut panel, and ',
			el('a', { href: 'healthz' }, 'healthz'), ' and ', el('a', { href: 'metrics' }, 'metrics'), '.'));
}

export function mountKeys(dialog, app) {
	const groups = table(app);
	const runs = new Map(groups.flatMap(([, rows]) => rows.flatMap(([, names, , run]) => names.map((name) => [name, run]))));

	fillHelp(dialog, groups);
	app.openHelp = () => dialog.open || dialog.showModal();
	document.getElementById('help').addEventListener('click', app.openHelp);
	dialog.addEventListener('click', (event) => event.target === dialog && dialog.close());
	document.addEventListener('keydown', (event) => {
		if (event.defaultPrevented || event.altKey || event.isComposing)
			return;
		const name = nameOf(event);
		const run = runs.get(name);

		if (!run || isTaken(event, name))
			return;
		event.preventDefault();
		run();
	});
}
