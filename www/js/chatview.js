/*
 * chatview.js - the list of messages: which of them are elements, and how it is
 * scrolled.
 *
 * At most ROWS messages are elements at a time, whatever the chat's length.
 * The newest is at the bottom; who scrolls up holds the list where it is.
 */
import { chatRow } from './chatrow.js';
import { countUntil } from './chatlog.js';
import { clear, setText } from './dom.js';

const ROWS = 200;
/** Rows at the end, as long as nobody scrolls. */
const TAIL = 120;
/** By so many the rows move with the reader. */
const STEP = 60;
const NEAR_END = 24;
const NEAR_EDGE = 240;

/* Puts the rows that are wanted into the list, touching only what is another. */
function reconcile(list, made, wanted, make) {
	const keep = new Set(wanted.map((message) => message.key));
	let node;

	for (const [key, row] of made)
		if (!keep.has(key)) {
			row.remove();
			made.delete(key);
		}
	node = list.firstChild;
	for (const message of wanted) {
		const row = made.get(message.key) ?? make(message);

		made.set(message.key, row);
		if (row === node)
			node = node.nextSibling;
		else
			list.insertBefore(row, node);
	}
}

/* Changes the rows above without moving what is being read. */
function keepPlace(list, change) {
	const anchor = [...list.children].find((row) => row.offsetTop + row.offsetHeight > list.scrollTop);
	const above = anchor ? anchor.offsetTop - list.scrollTop : 0;

	change();
	if (anchor?.isConnected)
		list.scrollTop = anchor.offsetTop - above;
}

/* One stop for the tab key; arrows go on from it. */
function setTabStop(list) {
	if (list.contains(document.activeElement))
		return;
	list.querySelector('button[tabindex="0"]')?.setAttribute('tabindex', '-1');
	list.lastElementChild?.querySelector('button')?.setAttribute('tabindex', '0');
}

/* Arrow keys go from time to time. */
function onArrow(event) {
	const row = event.target.closest('li');
	const next = event.key === 'ArrowUp' ? row?.previousElementSibling : event.key === 'ArrowDown' ? row?.nextElementSibling : null;
	const button = next?.querySelector('button');

	if (!button || event.altKey || event.ctrlKey || event.metaKey)
		return;
	event.preventDefault();
	event.stopPropagation();
	event.target.setAttribute('tabindex', '-1');
	button.setAttribute('tabindex', '0');
	button.focus();
}

/** list: an <ol>; back: the button that ends holding, its words in its last child. */
export function createView(list, back, app, tint) {
	const made = new Map();
	let rows = [];
	let count = 0;
	let at = 0;
	let first = 0;
	let held = false;
	let heldAt = 0;

	const isAtEnd = () => list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_END;
	const toEnd = () => { list.scrollTop = list.scrollHeight; };

	function draw() {
		const shown = rows.slice(first, Math.min(count, first + ROWS));

		reconcile(list, made, shown, (message) => chatRow(message, app, tint));
		for (const message of shown)
			made.get(message.key).classList.toggle('struck', message.struckAt !== undefined && message.struckAt <= at);
		setTabStop(list);
	}

	function tell() {
		const fresh = held ? count - countUntil(rows, heldAt) : 0;

		back.hidden = !held;
		setText(back.lastChild, fresh > 0 ? `Back to now, ${fresh} new` : 'Back to now');
	}

	function hold() {
		if (held || !list.childElementCount)
			return;
		held = true;
		heldAt = at;
		tell();
	}

	function release() {
		held = false;
		tell();
	}

	/* Rows were asked for again, or older ones have come: finds the first shown one. */
	function replace(next) {
		const key = rows[first]?.key;
		const place = held && key !== undefined ? next.findIndex((message) => message.key === key) : -1;

		rows = next;
		first = place < 0 ? Math.min(first, Math.max(0, rows.length - 1)) : place;
	}

	/* Reading back: the rows that are elements follow the reader. */
	function follow() {
		const below = list.scrollHeight - list.scrollTop - list.clientHeight;
		let to = first;

		if (list.scrollTop < NEAR_EDGE)
			to = Math.max(0, first - STEP);
		else if (below < NEAR_EDGE && first + ROWS < count)
			to = Math.min(first + STEP, count - ROWS);
		if (to === first)
			return;
		first = to;
		keepPlace(list, draw);
	}

	list.addEventListener('keydown', onArrow);
	list.addEventListener('wheel', (event) => event.deltaY < 0 && list.scrollTop > 0 && hold(), { passive: true });
	list.addEventListener('scroll', () => {
		if (!held && !isAtEnd())
			hold();
		else if (held && isAtEnd() && first + ROWS >= count)
			release();
		else if (held)
			follow();
	}, { passive: true });
	new ResizeObserver(() => held || toEnd()).observe(list);

	return {
		release,
		isHeld: () => held,
		/** The moment before which more rows are of use, or null. */
		wantsBefore: () => held && first < ROWS && rows.length ? rows[0].at : null,

		/** Shows the rows up to a moment; the same list of rows again costs nothing. */
		update(next, ms, force) {
			const was = { rows, count, at };

			at = ms;
			if (next !== rows)
				replace(next);
			count = countUntil(rows, at);
			if (rows === was.rows && count === was.count && !force && at >= was.at)
				return;
			if (held) {
				keepPlace(list, draw);
				tell();
				follow();
				return;
			}
			first = Math.max(0, count - TAIL);
			draw();
			if (count !== was.count || rows !== was.rows)
				toEnd();
		},

		/** All rows are made anew: another clock, other colours. */
		forget() {
			made.clear();
			clear(list);
			draw();
			if (!held)
				toEnd();
		},
	};
}
