/*
 * timeline-tip.js - what is under the pointer: the time, what the archive has
 * there, and its picture.
 */
import { el, setText } from './dom.js';
import { formatTime } from './time.js';
import { stateAt } from './timeline-coverage.js';

const TILE_HEIGHT = 108;
const RETRY = 4000;
const WIDTH = 204; /* px, as timeline.css has it: asking would lay out the page */
const WORDS = { covered: '', hole: 'hole: nothing recorded', suspect: 'may be damaged', partial: 'recorded in part' };

export function createTip(app, coverage, canvas) {
	const { state } = app.store;
	const picture = el('canvas', { width: Math.round(TILE_HEIGHT * 16 / 9), height: TILE_HEIGHT });
	const none = el('span', { class: 'tl-none' });
	const time = el('span', { class: 'tl-time time' });
	const word = el('span', { class: 'tl-word' });
	const help = el('span', { class: 'tl-help quiet' });
	const node = el('div', { class: 'tl-tip', hidden: true }, el('div', { class: 'tl-picture' }, picture, none), time, word, help);
	const ctx = picture.getContext('2d');
	let board = null; /* the storyboard, brought when there is a pointer */
	let isBringing = false;
	let last = null;
	let drawn = null;

	const showAgain = () => last && show(last);

	async function bring() {
		isBringing = true;
		try {
			const { createStoryboard } = await import('./storyboard.js');

			board = createStoryboard(app, TILE_HEIGHT, showAgain);
			showAgain();
			isBringing = false;
		} catch {
			setTimeout(() => {
				isBringing = false;
			}, RETRY);
		}
	}

	function drawPicture(ms, msPerPx, isHole) {
		if (!board && !isBringing)
			bring();
		const found = isHole ? null : board?.at(ms, msPerPx);

		picture.hidden = !found?.image;
		none.className = isHole ? 'tl-none tl-hole' : 'tl-none';
		setText(none, isHole ? 'hole' : found ? 'no picture' : '…');
		if (!found?.image)
			return;
		if (drawn && ['image', 'x', 'y', 'exact'].every((name) => drawn[name] === found[name]))
			return;
		drawn = found;
		const width = Math.round(found.width);

		if (picture.width !== width || picture.height !== Math.round(found.height)) {
			picture.width = width;
			picture.height = Math.round(found.height);
		}
		ctx.drawImage(found.image, found.x, found.y, found.width, found.height, 0, 0, picture.width, picture.height);
		picture.classList.toggle('tl-coarse', !found.exact);
	}

	function place(x) {
		const left = Math.min(Math.max(x - WIDTH / 2, 4), canvas.width() - WIDTH - 4);

		node.style.transform = `translateX(${Math.round(left)}px)`;
	}

	/** at: { x, ms, msPerPx, hint }. */
	function show(at) {
		const { archive, view, clock } = state;

		if (!archive || !view)
			return;
		last = at;
		node.hidden = false;
		const what = stateAt(at.ms, view, archive, coverage);
		const isHole = what === 'hole' || what === 'nothing recorded';

		setText(time, formatTime(at.ms, clock, at.msPerPx < 500 ? 3 : 0));
		setText(word, WORDS[what] ?? what);
		setText(help, at.hint ?? '');
		word.className = `tl-word tl-${what.split(' ')[0]}`;
		drawPicture(at.ms, at.msPerPx, isHole);
		place(at.x);
	}

	return {
		node, show,
		hide() {
			if (!last)
				return;
			last = null;
			node.hidden = true;
			board?.rest();
		},
	};
}
