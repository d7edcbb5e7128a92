/*
 * chatrow.js - a message as a row.
 */
import { readable } from './colour.js';
import { el } from './dom.js';
import { formatClock, formatTime } from './time.js';

/**
 * Makes colours of names readable on the panel; onChange() when they must be
 * asked for again, as the panel has another colour.
 */
export function createTint(onChange) {
	const known = new Map();
	let ground = '';

	function look() {
		const colour = getComputedStyle(document.documentElement).getPropertyValue('--panel').trim();

		ground = /^#[0-9a-f]{6}$/i.test(colour) ? colour : '#14191f';
		known.clear();
	}

	look();
	matchMedia('(prefers-color-scheme: light)').addEventListener('change', () => {
		look();
		onChange();
	});
	return (colour) => {
		if (!known.has(colour)) {
			if (known.size > 5000)
				known.clear();
			known.set(colour, readable(colour, ground));
		}
		return known.get(colour);
	};
}

/** The time of a row, which is where one gets by it. */
function timeButton(at, app) {
	const { clock } = app.store.state;

	return el('button', {
		type: 'button', class: 'bare chat-time time', tabIndex: -1, title: `Go to ${formatTime(at, clock, 0)}`,
		on: { click: () => app.player.seek(at) },
	}, formatClock(at, clock, 0));
}

function nameOf(message, tint) {
	const name = el('bdi', { class: 'chat-name' }, message.name);

	name.style.color = tint(message.colour);
	return name;
}

/** text: in place of the message's own, as what marks search hits. */
export function chatRow(message, app, tint, text = message.text) {
	const time = timeButton(message.at, app);

	if (message.kind === 'event')
		return el('li', { class: 'chat-row event' }, time, el('p', {}, el('span', { class: 'chat-notice' }, message.notice),
			message.text ? el('span', { class: 'chat-text', dir: 'auto' }, text) : null));
	const said = el('span', { class: 'chat-text', dir: 'auto' }, text);

	return el('li', { class: `chat-row ${message.kind}` }, time, el('p', {},
		...message.badges.map((badge) => el('span', { class: 'chat-badge' }, badge)),
		nameOf(message, tint), message.kind === 'action' ? ' ' : ': ', said,
		message.bits ? el('span', { class: 'chat-bits' }, `${message.bits} bits`) : null));
}
