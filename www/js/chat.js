/*
 * chat.js - the chat beside the video, in step with it.
 *
 * What was said up to the picture that is shown; what is still to come is not
 * shown, as if it were live.  A message's moment is the earliest at which it
 * may have been sent.
 */
import { withClears } from './chatlog.js';
import { createPieces, pieceOf, PIECE } from './chatpieces.js';
import { createTint } from './chatrow.js';
import { createView } from './chatview.js';
import { clear, el, icon } from './dom.js';

/** A leap of the playhead is a seek, and ends reading back. */
const LEAP = 20000;
/** A playhead that stands asks so often whether there is more. */
const TICK = 1000;

/** Rows that are at hand for one who does not read back. */
const ENOUGH = 400;

/**
 * The pieces up to a moment that are there without a gap, as one list: the last
 * ones that have enough before it, or all.
 */
function rowsUntil(pieces, ms, all) {
	const lists = [];
	let before = 0;

	for (let from = pieceOf(ms); all || before < ENOUGH; from -= PIECE) {
		const piece = pieces.peek(from);

		if (piece?.state !== 'ready')
			break;
		lists.unshift(piece.messages);
		if (from < pieceOf(ms))
			before += piece.messages.length;
	}
	return withClears(lists.flat());
}

const says = (...children) => el('div', { class: 'state' }, ...children);

function failure(error, retry) {
	const title = error.status === 503 ? 'The server is busy' : error.status ? 'The chat cannot be read' : 'The server cannot be reached';
	const words = error.status && error.status !== 503 ? error.message : 'It is asked again in a moment.';

	return says(el('strong', {}, title), el('p', {}, words), el('button', { type: 'button', on: { click: retry } }, 'Try now'));
}

function stateOf(piece, retry) {
	switch (piece.state) {
	case 'loading': return says(el('div', { class: 'spinner' }), el('p', {}, 'Reading the chat'));
	case 'none': return says(el('strong', {}, 'No chat here'), el('p', {}, 'The archive holds no chat of this channel.'));
	case 'failed': return failure(piece.error, retry);
	default: return says(el('strong', {}, 'Quiet here'), el('p', {}, 'Nobody has said anything in the minutes before this picture.'));
	}
}

function build(root) {
	const parts = {
		bar: el('div', { class: 'chat-bar' }),
		list: el('ol', { class: 'chat-list', 'aria-label': 'Messages' }),
		over: el('div', { class: 'chat-over' }),
		back: el('button', { type: 'button', class: 'primary chat-back', hidden: true }, icon('forward'), el('span', {}, 'Back to now')),
		found: el('div', { class: 'chat-found', hidden: true }),
	};

	parts.stage = el('div', { class: 'chat-stage', role: 'log', 'aria-live': 'off', 'aria-label': 'Chat up to the picture that is shown' }, parts.list, parts.over, parts.back);
	root.classList.add('chat');
	root.append(parts.bar, parts.stage, parts.found);
	return parts;
}

/* Asks for the pieces that a moment needs, and a reader of older messages will; the moment's own. */
function want(pieces, at, before) {
	if (before !== null)
		pieces.want(pieceOf(before) - 1);
	pieces.want(at - PIECE);
	if (at - pieceOf(at) > PIECE * 0.8)
		pieces.want(at + PIECE);
	return pieces.want(at);
}

function showState(parts, piece, retry) {
	const isEmpty = !parts.list.childElementCount;
	const key = isEmpty ? `${piece.from} ${piece.state} ${piece.error?.message}` : '';

	if (parts.over.dataset.key === key)
		return;
	parts.over.dataset.key = key;
	parts.over.hidden = !isEmpty;
	clear(parts.over);
	if (isEmpty)
		parts.over.append(stateOf(piece, retry));
}

const SCOPES = [
	['hour', 'This hour'],
	['near', '3 hours around'],
	['marks', 'Marked ranges'],
	['all', 'Whole archive'],
];

function buildBar(bar) {
	const input = el('input', { type: 'search', placeholder: 'Search the chat', autocomplete: 'off', spellcheck: false, 'aria-label': 'Search the chat' });
	const scope = el('select', { 'aria-label': 'Where to search' }, ...SCOPES.map(([value, text]) => el('option', { value }, text)));
	const form = el('form', { class: 'chat-form', role: 'search' }, icon('search'), input, scope);

	bar.append(form);
	return { form, input, scope };
}

/* The search is brought when its field is entered. */
function mountBar(parts, app, tint) {
	const bar = buildBar(parts.bar);
	let brought = null;
	let isPending = false;

	function bring() {
		brought ??= import('./chatsearch.js').then(({ mountSearch }) => {
			mountSearch(parts, bar, app, tint);
			if (isPending)
				bar.form.requestSubmit();
		}).catch(() => {
			brought = null;
			app.say('The search could not be loaded', { kind: 'bad' });
		});
	}

	bar.form.addEventListener('focusin', bring);
	bar.form.addEventListener('submit', (event) => {
		event.preventDefault();
		isPending = true;
		bring();
	});
	return bar;
}

/** Returns { focusSearch() }. */
export function mountChat(root, app) {
	const parts = build(root);
	const { state } = app.store;
	const tint = createTint(() => view.forget());
	const view = createView(parts.list, parts.back, app, tint);
	let pieces = null;
	let channel = null;
	let hasChat = false;
	let rows = [];
	let rowsOf = null;
	let force = false;
	let asked = false;
	let last = null;

	const isShown = () => state.tab === 'chat' && !document.hidden;

	function draw() {
		const at = state.at;

		asked = false;
		if (!pieces || at === null || !isShown())
			return;
		if (last !== null && (at < last - 50 || at > last + LEAP))
			view.release();
		last = at;
		const piece = want(pieces, at, view.wantsBefore());
		const wanted = `${pieceOf(at)} ${view.isHeld()}`;

		if (rowsOf !== wanted) {
			rows = rowsUntil(pieces, at, view.isHeld());
			rowsOf = wanted;
		}
		view.update(rows, at, force);
		force = false;
		showState(parts, piece, () => pieces.retry(at));
	}

	function ask() {
		if (asked || !isShown())
			return;
		asked = true;
		requestAnimationFrame(draw);
	}

	/* Also what is deleted now is struck then. */
	const askAll = () => {
		force = true;
		ask();
	};

	function begin() {
		if (state.channel === channel && state.hasChat === hasChat)
			return;
		pieces?.end();
		({ channel, hasChat } = state);
		pieces = channel ? createPieces(app.api, channel, () => { rowsOf = null; ask(); }, Date.now, hasChat) : null;
		rows = [];
		rowsOf = null;
		last = null;
		view.release();
		askAll();
	}

	parts.back.addEventListener('click', () => { view.release(); askAll(); parts.list.scrollTop = parts.list.scrollHeight; });
	const bar = mountBar(parts, app, tint);
	app.store.watch(['channel', 'hasChat'], begin);
	app.store.watch(['at', 'tab'], ask);
	app.store.watch(['clock'], () => view.forget());
	document.addEventListener('visibilitychange', askAll);
	setInterval(askAll, TICK);
	return { focusSearch() {
		bar.input.focus();
		bar.input.select();
	} };
}
