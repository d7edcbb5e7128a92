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
import { clear, el, setText } from './dom.js';
import { wholeOf } from './edit.js';
import { HOUR, formatDate } from './time.js';

const LONGEST = 2 * HOUR;
/** As many as one can look through; more are not kept. */
const MOST = 500;
const SLICE = 2000;

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

/* Two hours of a busy chat take a second to read: the page goes on in between. */
async function readInSlices(list) {
	const messages = [];

	for (let i = 0; i < list.length; i += SLICE) {
		messages.push(...readChat(list.slice(i, i + SLICE)));
		await new Promise((resolve) => setTimeout(resolve));
	}
	return withClears(messages);
}

/**
 * Reads the parts one after the other: onPart(hits) after each, which ends it
 * with false.  Throws what the api throws; a part without chat is one without
 * hits.
 */
export async function searchParts(api, channel, parts, wanted, { signal, onPart }) {
	for (const part of parts) {
		let list = [];

		try {
			list = await api.json(urls.chat(channel, part.from, part.to), { signal });
		} catch (error) {
			if (error.status !== 404)
				throw error;
		}
		const own = (await readInSlices(Array.isArray(list) ? list : [])).filter((message) => message.at >= part.from && message.at < part.to);

		if (onPart(own.filter((message) => matches(message, wanted))) === false)
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

/** In words: how many were found, and in how much.  state: 'running', 'whole' or 'stopped'. */
function summary(search, state) {
	const { hits, done, parts } = search;
	const found = hits >= MOST ? `The first ${MOST} found; narrow the search` : hits ? `${hits} found` : state === 'whole' ? 'Nothing found' : 'Nothing yet';

	if (state === 'stopped')
		return `${found}; stopped after ${done} of ${parts.length} parts`;
	return state === 'whole' || parts.length < 2 ? found : `${found}; ${done} of ${parts.length} parts read`;
}

/* The results of a search, and how far it is.  onGo() stops it, or lets it go on. */
function createResults(root, app, tint, onGo) {
	const parts = buildFound(root);

	parts.stop.addEventListener('click', onGo);
	return {
		close: parts.close,

		clear() {
			clear(parts.list);
		},
		add: (hits, wanted) => hits.length && addHits(parts.list, hits, wanted, app, tint),

		/** error: what stopped it, or null. */
		tell(search, state, error = null) {
			setText(parts.words, summary(search, state) + (error ? `: ${error.message}` : ''));
			parts.bar.max = search.parts.length;
			parts.bar.value = search.done;
			parts.bar.hidden = state === 'whole' || search.parts.length < 2;
			parts.stop.hidden = state === 'whole';
			setText(parts.stop, state === 'stopped' ? 'Go on' : 'Stop');
		},
		tellNothing(scope, hasChat) {
			setText(parts.words, !hasChat ? 'The archive holds no chat of this channel' : scope === 'marks' ? 'No range is marked whole yet' : 'The archive is not known yet');
			parts.bar.hidden = parts.stop.hidden = true;
		},
	};
}

/** parts: bar, found and stage of chat.js; bar: what is in parts.bar, { form, input, scope }. */
export function mountSearch(parts, bar, app, tint) {
	const results = createResults(parts.found, app, tint, () => search && (search.running ? search.running.abort() : go(search)));
	let search = null;

	function show(isFound) {
		parts.found.hidden = !isFound;
		parts.stage.hidden = isFound;
	}

	function end() {
		search?.running?.abort();
		search = null;
		results.clear();
		show(false);
	}

	/* Reads the parts that are left. */
	async function go(own) {
		const stop = own.running = new AbortController();
		let fault = null;

		results.tell(own, 'running');
		try {
			await searchParts(app.api, own.channel, own.parts.slice(own.done), own.wanted, { signal: stop.signal, onPart(more) {
				const room = more.slice(0, MOST - own.hits);

				if (search !== own)
					return false;
				own.done++;
				own.hits += room.length;
				results.add(room, own.wanted);
				results.tell(own, 'running');
				return own.hits < MOST;
			} });
		} catch (error) {
			fault = error;
		}
		own.running = null;
		if (search === own)
			results.tell(own, fault ? 'stopped' : 'whole', stop.signal.aborted ? null : fault);
	}

	function begin(wanted) {
		end();
		show(true);
		search = { wanted, channel: app.store.state.channel, parts: app.store.state.hasChat ? partsOfScope(bar.scope.value, app.store.state) : [], done: 0, hits: 0, running: null };
		if (search.parts.length)
			go(search);
		else
			results.tellNothing(bar.scope.value, app.store.state.hasChat);
	}

	function submit(event) {
		const wanted = bar.input.value.trim().toLowerCase();

		event.preventDefault();
		if (wanted)
			begin(wanted);
		else
			end();
	}

	function leave() {
		bar.input.value = '';
		end();
	}

	bar.form.addEventListener('submit', submit);
	bar.scope.addEventListener('change', () => bar.input.value.trim() && bar.form.requestSubmit());
	bar.input.addEventListener('input', () => bar.input.value === '' && end());
	for (const part of [parts.bar, parts.found])
		part.addEventListener('keydown', (event) => {
			if (event.key !== 'Escape')
				return;
			event.stopPropagation();
			leave();
			bar.input.blur();
		});
	results.close.addEventListener('click', leave);
	app.store.watch(['channel'], end);
}
