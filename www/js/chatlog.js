/*
 * chatlog.js - chat as it was recorded, made fit to be read.
 *
 * What comes in is JSON that anyone in a chat had a hand in: every field may be
 * missing or of another type.  What goes out are plain texts of bounded length
 * without control characters.
 */

const LONGEST_TEXT = 2000;
const LONGEST_NAME = 60;

/* Also what turns the direction of all text behind it. */
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/;
const ALL_UNSEEN = new RegExp(UNSEEN, 'g');

function textOf(value, longest = LONGEST_TEXT) {
	if (typeof value !== 'string')
		return '';
	const start = value.length > longest * 2 ? value.slice(0, longest * 2) : value;
	const text = (UNSEEN.test(start) ? start.replace(ALL_UNSEEN, ' ') : start).trim();

	return text.length > longest ? `${text.slice(0, longest).replace(/[\ud800-\udbff]$/, '')}…` : text;
}

const objectOf = (value) => value !== null && typeof value === 'object' && !Array.isArray(value) ? value : {};

const paramOf = (raw, i) => Array.isArray(raw.params) ? raw.params[i] : undefined;

/** Names that a viewer gets who chose no colour: always the same for a name. */
const COLOURS = ['#ff4f4f', '#5b8def', '#3fae5a', '#d16ba5', '#e08a2e', '#2fa7a0', '#b07be0', '#c9a227', '#e0607e', '#4aa3df'];

function colourOf(tag, name) {
	let hash = 0;

	if (typeof tag === 'string' && /^#[0-9a-f]{6}$/i.test(tag))
		return tag.toLowerCase();
	for (const letter of name)
		hash = (hash * 31 + letter.codePointAt(0)) >>> 0;
	return COLOURS[hash % COLOURS.length];
}

const BADGES = { broadcaster: 'host', moderator: 'mod', vip: 'vip', staff: 'staff' };

function badgesOf(tag) {
	if (typeof tag !== 'string' || !tag)
		return [];
	return Object.keys(BADGES).filter((name) => tag.split(',').some((badge) => badge.startsWith(`${name}/`))).map((name) => BADGES[name]);
}

function bitsOf(tag) {
	const bits = typeof tag === 'string' || typeof tag === 'number' ? Number(tag) : 0;

	return Number.isInteger(bits) && bits > 0 && bits < 1e9 ? bits : 0;
}

/* What clears others: { user } of whom, { id } of which message, or neither for all. */
function readClear(raw, tags, message) {
	if (raw.command === 'CLEARMSG') {
		const id = textOf(tags['target-msg-id'], 100);

		return id ? { ...message, kind: 'clear', target: { id } } : null;
	}
	const user = textOf(paramOf(raw, 1), LONGEST_NAME).toLowerCase();

	return { ...message, kind: 'clear', target: user ? { user } : {} };
}

/**
 * One message: { at (ms), kind: 'said' | 'action' | 'event' | 'clear', id, user,
 * name, text, colour, badges, bits, target }; null of what is not shown.
 */
export function readMessage(raw) {
	const from = objectOf(raw);
	const tags = objectOf(from.tags);

	if (typeof from.time !== 'number' || !Number.isFinite(from.time) || Math.abs(from.time) > 8e12)
		return null;
	const user = textOf(from.sender, LONGEST_NAME) || textOf(from.user, LONGEST_NAME) || textOf(tags.login, LONGEST_NAME);
	const name = textOf(tags['display-name'], LONGEST_NAME) || user || 'someone';
	const message = { at: from.time * 1000, id: textOf(tags.id, 100), user: user.toLowerCase(), name, text: '' };

	switch (from.command) {
	case 'PRIVMSG': return readSaid(from, tags, message);
	case 'USERNOTICE': return readEvent(from, tags, message);
	case 'CLEARCHAT':
	case 'CLEARMSG': return readClear(from, tags, message);
	default: return null;
	}
}

function readSaid(raw, tags, message) {
	const param = paramOf(raw, 1);
	const action = typeof param === 'string' ? /^\u0001ACTION ([^\u0001]*)\u0001?$/.exec(param) : null;
	const text = textOf(action ? action[1] : param);

	return text ? { ...message, kind: action ? 'action' : 'said', text, colour: colourOf(tags.color, message.name),
		badges: badgesOf(tags.badges), bits: bitsOf(tags.bits) } : null;
}

function readEvent(raw, tags, message) {
	const notice = textOf(typeof tags['system-msg'] === 'string' ? tags['system-msg'].replaceAll('\\s', ' ') : '');
	const said = textOf(paramOf(raw, 1));

	return notice || said ? { ...message, kind: 'event', notice: notice || message.name, text: said } : null;
}

/** All that is shown of an answer of chat.json, in order of time; [] of anything else. */
export function readChat(list) {
	if (!Array.isArray(list))
		return [];
	return list.map(readMessage).filter(Boolean).sort((a, b) => a.at - b.at);
}

function isCleared(message, clear) {
	const { id, user } = clear.target;

	if (message.kind === 'event' || message.kind === 'clear')
		return false;
	return id ? message.id === id : !user || message.user === user;
}

/**
 * The messages that are rows, those that were deleted with struckAt, the moment
 * when that happened.  A clear reaches back over the `far` messages before it.
 */
export function withClears(messages, far = 1000) {
	const rows = [];

	for (const message of messages) {
		if (message.kind !== 'clear') {
			rows.push(message);
			continue;
		}
		for (let i = rows.length - 1; i >= Math.max(0, rows.length - far); i--)
			if (rows[i].struckAt === undefined && isCleared(rows[i], message))
				rows[i] = { ...rows[i], struckAt: message.at };
	}
	return rows;
}

/** How many of the messages, which are in order, are at or before a moment. */
export function countUntil(messages, ms) {
	let low = 0;
	let high = messages.length;

	while (low < high) {
		const middle = (low + high) >> 1;

		if (messages[middle].at <= ms)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/** What makes a message the same one after it has been asked for again. */
export const keyOf = (message) => message.id || `${message.at} ${message.user} ${message.text}`;

/** Where a text has what is searched for: parts { text, hit }; null if nowhere. */
export function findIn(text, wanted) {
	const small = text.toLowerCase();
	const parts = [];
	let from = 0;

	/* A letter may be longer in small letters: then no place in one is a place in the other. */
	if (!wanted || !small.includes(wanted))
		return null;
	if (small.length !== text.length)
		return [{ text, hit: true }];
	for (let at = small.indexOf(wanted); at >= 0; at = small.indexOf(wanted, from)) {
		if (at > from)
			parts.push({ text: text.slice(from, at), hit: false });
		parts.push({ text: text.slice(at, at + wanted.length), hit: true });
		from = at + wanted.length;
	}
	if (from < text.length)
		parts.push({ text: text.slice(from), hit: false });
	return parts;
}

/** Whether a message says it, or who said it is called so; wanted in small letters. */
export const matches = (message, wanted) => message.kind !== 'clear' &&
	`${message.name}\n${message.user}\n${message.notice ?? ''}\n${message.text}`.toLowerCase().includes(wanted);
