/*
 * chatsearch.js - searching the chat, in a part of the archive that the reader
 * picks.
 *
 * The server has no search: the chat is read in pieces of at most two hours,
 * one request at a time, and searched here.  A search of months takes long,
 * says how far it is, and can be stopped.
 */
import { urls } from './api.js';
import { findIn, matches, readChat, withClears } from './chatlog.js';
import { chatRow } from './chatrow.js';
import { clear, el, icon, setText } from './dom.js';
import { wholeOf } from './edit.js';
import { HOUR, formatDate } from './time.js';

const LONGEST = 2 * HOUR;
/** As many as one can look through; more are not kept. */
const MOST = 500;

const SCOPES = [
	['hour', 'This hour'],
	['near', '3 hours around'],
	['marks', 'Marked ranges'],
	['all', 'Whole archive'],
];

/** from to to in parts no longer than the server answers at once, in order. */
export function partsOf(from, to) {
	const parts = [];

	for (let at = from; at < to; at = parts.at(-1).to)
		parts.push({ from: at, to: Math.min(to, Math.floor(at / LONGEST) * LONGEST + LONGEST) });
	return parts;
}

/** Parts in the order in which they are of interest: nearest to a moment first. */
export function nearestFirst(parts, at) {
	const distance = (part) => at < part.from ? part.from - at : at > part.to ? at - part.to : 0;

	return [...parts].sort((a, b) => distance(a) - distance(b));
}

function partsOfScope(scope, state) {
	const at = state.at ?? state.archive?.from ?? Date.now();

	switch (scope) {
	case 'hour': return partsOf(Math.floor(at / HOUR) * HOUR, Math.floor(at / HOUR) * HOUR + HOUR);
	case 'near': return nearestFirst(partsOf(at - 1.5 * HOUR, at + 1.5 * HOUR), at);
	case 'marks': return wholeOf(state.edit).ranges.flatMap((range) => partsOf(range.in, range.out));
	default: return state.archive ? nearestFirst(partsOf(state.archive.from, state.archive.to), at) : [];
	}
}

/**
 * Reads the parts one after the other: onPart(hits, done) after each.  Throws
 * what the api throws; a part without chat is one without hits.
 */
export async function searchParts(api, channel, parts, wanted, { signal, onPart }) {
	for (let done = 0; done < parts.length; done++) {
		const part = parts[done];
		let list = [];

		try {
			list = await api.json(urls.chat(channel, part.from, part.to), { signal });
		} catch (error) {
			if (error.status !== 404)
				throw error;
		}
		const own = withClears(readChat(list)).filter((message) => message.at >= part.from && message.at < part.to);

		if (onPart(own.filter((message) => matches(message, wanted)), done + 1) === false)
			return;
	}
}

function marked(message, wanted) {
	const parts = findIn(message.text, wanted);
	const text = document.createDocumentFragment();

	if (!parts)
		return message.text;
	text.append(...parts.map((part) => part.hit ? el('mark', {}, part.text) : part.text));
	return text;
}

function hitRow(message, wanted, app, tint) {
	const row = chatRow(message, app, tint, marked(message, wanted));

	row.classList.toggle('struck', message.struckAt !== undefined);
	row.querySelector('button').tabIndex = 0;
	row.dataset.at = message.at;
	return row;
}

/* The day above the first row of each. */
function placeDays(list, clock) {
	let day = '';

	for (const heading of list.querySelectorAll('.chat-day'))
		heading.remove();
	for (const row of [...list.children]) {
		const date = formatDate(Number(row.dataset.at), clock);

		if (date !== day)
			row.before(el('li', { class: 'chat-day' }, date));
		day = date;
	}
}

/* Puts hits, which are in order and of a time that has none yet, where they belong. */
function addHits(list, hits, wanted, app, tint) {
	const next = [...list.children].find((row) => Number(row.dataset.at) > hits[0].at) ?? null;
	const top = list.scrollTop;
	const height = list.scrollHeight;

	for (const message of hits)
		list.insertBefore(hitRow(message, wanted, app, tint), next);
	placeDays(list, app.store.state.clock);
	if (next && top > 0 && next.offsetTop < top)
		list.scrollTop = top + list.scrollHeight - height;
}

function buildBar(bar) {
	const input = el('input', { id: 'chat-search', type: 'search', placeholder: 'Search the chat', autocomplete: 'off', spellcheck: false, 'aria-label': 'Search the chat' });
	const scope = el('select', { 'aria-label': 'Where to search' }, ...SCOPES.map(([value, text]) => el('option', { value }, text)));
	const form = el('form', { class: 'chat-form', role: 'search' }, icon('search'), input, scope);

	bar.append(form);
	return { form, input, scope };
}

function buildFound(root) {
	const parts = {
		words: el('span', { class: 'small', role: 'status' }),
		stop: el('button', { type: 'button', hidden: true }, 'Stop'),
		close: el('button', { type: 'button' }, 'Back to the chat'),
		bar: el('progress', { 'aria-label': 'Searched', hidden: true }),
		list: el('ol', { class: 'chat-list' }),
	};

	root.append(el('div', { class: 'chat-summary' }, parts.words, el('span', { class: 'spacer' }), parts.stop, parts.close), parts.bar, parts.list);
	return parts;
}

/** In words: how many were found, and in how much. */
function summary(hits, done, all, ended) {
	const found = hits >= MOST ? `The first ${MOST} found; narrow the search` : hits ? `${hits} found` : ended ? 'Nothing found' : 'Searching';

	return ended === 'stopped' ? `${found}, stopped after ${done} of ${all} parts` : ended || all < 2 ? found : `${found}, ${done} of ${all} parts read`;
}

/** parts: bar, found and stage of chat.js. */
export function mountSearch(parts, app, tint) {
	const bar = buildBar(parts.bar);
	const found = buildFound(parts.found);
	let running = null;
	let hits = 0;

	function show(isFound) {
		parts.found.hidden = !isFound;
		parts.stage.hidden = isFound;
	}

	function end() {
		running?.abort();
		running = null;
		hits = 0;
		clear(found.list);
		show(false);
	}

	function tell(done, all, ended) {
		setText(found.words, summary(hits, done, all, ended));
		found.bar.max = all;
		found.bar.value = done;
		found.bar.hidden = Boolean(ended) || all < 2;
		found.stop.hidden = Boolean(ended);
	}

	function nothingToSearch(scope) {
		setText(found.words, scope === 'marks' ? 'No range is marked whole yet' : 'The archive is not known yet');
		found.bar.hidden = true;
		found.stop.hidden = true;
	}

	async function run(wanted) {
		const stop = running = new AbortController();
		const list = partsOfScope(bar.scope.value, app.store.state);
		let done = 0;

		hits = 0;
		clear(found.list);
		show(true);
		if (!list.length) {
			nothingToSearch(bar.scope.value);
			return;
		}
		tell(0, list.length, null);
		try {
			await searchParts(app.api, app.store.state.channel, list, wanted, { signal: stop.signal, onPart(more, n) {
				done = n;
				const room = more.slice(0, MOST - hits);

				if (room.length)
					addHits(found.list, room, wanted, app, tint);
				hits += room.length;
				tell(n, list.length, null);
				return hits < MOST;
			} });
			tell(done, list.length, 'whole');
		} catch (error) {
			if (running !== stop)
				return;
			tell(done, list.length, 'stopped');
			if (!stop.signal.aborted)
				setText(found.words, `${found.words.textContent}: ${error.message}`);
		}
	}

	bar.form.addEventListener('submit', (event) => {
		const wanted = bar.input.value.trim().toLowerCase();

		event.preventDefault();
		running?.abort();
		if (wanted)
			run(wanted);
		else
			end();
	});
	bar.scope.addEventListener('change', () => bar.input.value.trim() && bar.form.requestSubmit());
	bar.input.addEventListener('input', () => bar.input.value === '' && end());
	for (const part of [parts.bar, parts.found])
		part.addEventListener('keydown', (event) => {
			if (event.key !== 'Escape')
				return;
			event.stopPropagation();
			bar.input.value = '';
			end();
			bar.input.blur();
		});
	found.stop.addEventListener('click', () => running?.abort());
	found.close.addEventListener('click', () => { bar.input.value = ''; end(); });
	app.store.watch(['channel'], end);
}
