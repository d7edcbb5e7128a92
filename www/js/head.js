/*
 * head.js - the top row: what is shown, by which clock, where to go; and the
 * tabs of the panels.
 */
import { clear, copyText, el, setText } from './dom.js';
import { formatTime, parseTime } from './time.js';

/* Keeps a select's options as a list is; what is chosen but not there is named all the same. */
function fill(select, list, chosen) {
	const options = list && chosen && !list.includes(chosen) ? [chosen, ...list] : list ?? (chosen ? [chosen] : []);

	if (select.dataset.of !== JSON.stringify(options)) {
		select.dataset.of = JSON.stringify(options);
		clear(select).append(...options.map((name) => el('option', { value: name }, name)));
	}
	select.disabled = !options.length;
	select.value = chosen;
}

/** The channel, the quality, the clock. */
export function mountChoices({ channel, quality, clock, zero }, app) {
	const { store } = app;

	channel.addEventListener('change', () => {
		store.set({ at: null });
		app.setChannel(channel.value);
	});
	quality.addEventListener('change', () => store.set({ quality: quality.value }));
	clock.addEventListener('change', () => {
		const now = store.state.clock;

		store.set({ clock: { zone: clock.value, zero: clock.value === 'since' ? now.zero ?? Math.floor(store.state.at ?? Date.now()) : now.zero } });
	});
	zero.addEventListener('click', () => store.state.at !== null &&
		store.set({ clock: { zone: 'since', zero: Math.floor(store.state.at) } }));
	store.watch(['channels', 'channel'], (state) => fill(channel, state.channels, state.channel));
	store.watch(['qualities', 'quality'], (state) => fill(quality, state.qualities, state.quality));
	store.watch(['clock'], (state) => {
		clock.value = state.clock.zone;
		zero.hidden = state.clock.zone !== 'since';
		zero.title = state.clock.zero === null ? '' : `It counts from ${formatTime(state.clock.zero, { zone: 'utc' })} UTC`;
	});
}

/** The form that takes a time in any of the forms of parseTime(). */
export function mountJump(form, app) {
	const { store, player } = app;
	const input = form.elements.time;
	const means = form.querySelector('output');

	const meant = () => parseTime(input.value, { clock: store.state.clock, at: store.state.at ?? Date.now(), now: Date.now() });

	function hint() {
		const moment = input.value.trim() ? meant() : null;

		input.removeAttribute('aria-invalid');
		setText(means, moment === null || document.activeElement !== input ? '' : `${formatTime(moment, { zone: 'utc' })} UTC`);
	}

	input.addEventListener('input', hint);
	input.addEventListener('focus', hint);
	input.addEventListener('blur', hint);
	form.addEventListener('submit', (event) => {
		event.preventDefault();
		const moment = meant();

		if (moment === null) {
			input.setAttribute('aria-invalid', 'true');
			setText(means, 'Not a time. Take 2026-11-07 02:00:05, 02:00:05, now-90s, @1794016804, +30s or -1:30');
			return;
		}
		const { archive } = store.state;

		if (archive && (moment < archive.from || moment >= archive.to))
			app.say(`Nothing is recorded ${moment < archive.from ? 'before' : 'after'} ${formatTime(moment < archive.from ? archive.from : archive.to, store.state.clock, 0)}.`);
		player.seek(moment);
		input.blur();
	});
	input.addEventListener('keydown', (event) => event.key === 'Escape' && input.blur());
}

export function mountShare(button, app) {
	button.addEventListener('click', async () => {
		const done = await copyText(app.address());

		app.say(done ? 'Link copied: it has the moment and all marks' : 'The link is in the address bar', { kind: done ? 'info' : 'bad' });
	});
}

/** Tabs by the book: arrows go from one to the next. Returns openTab(name). */
export function mountTabs(list, app) {
	const tabs = [...list.querySelectorAll('[role="tab"]')];
	const nameOf = (tab) => tab.getAttribute('aria-controls');

	function open(name) {
		for (const tab of tabs) {
			const isIt = nameOf(tab) === name;

			tab.setAttribute('aria-selected', String(isIt));
			tab.tabIndex = isIt ? 0 : -1;
			document.getElementById(nameOf(tab)).hidden = !isIt;
		}
		app.store.set({ tab: name });
	}

	list.addEventListener('click', (event) => {
		const tab = event.target.closest('[role="tab"]');

		if (tab)
			open(nameOf(tab));
	});
	list.addEventListener('keydown', (event) => {
		const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];

		if (!by)
			return;
		const tab = tabs[(tabs.indexOf(document.activeElement) + by + tabs.length) % tabs.length];

		event.preventDefault();
		open(nameOf(tab));
		tab.focus();
	});
	return open;
}
