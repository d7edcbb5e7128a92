/*
 * transport.js - the row below the video: play, step, speed, sound, marks, and
 * the moment of the picture that is shown.
 */
import { copyText, el, icon, setText } from './dom.js';
import { formatClock, formatDate, isoTime } from './time.js';

const ZONES = { utc: 'UTC', local: 'local', since: 'since start' };

const button = (label, drawing, run, props = {}) => el('button', {
	type: 'button', class: 'icon', title: label, 'aria-label': label.replace(/ \(.*\)$/, ''), on: { click: run }, ...props,
}, icon(drawing));

function mountTime(app) {
	const date = el('span', { class: 'date' });
	const clock = el('span', { class: 'clock' });
	const zone = el('span', { class: 'zone' });
	const root = el('button', {
		type: 'button', class: 'bare now time', title: 'Copy this moment (UTC)', id: 'moment',
		on: { click: async () => {
			const { at } = app.store.state;

			if (at !== null && await copyText(`${isoTime(at)}Z`))
				app.say('Moment copied');
		} },
	}, date, clock, zone);

	app.store.watch(['at', 'clock'], (state) => {
		setText(date, state.at === null ? '' : formatDate(state.at, state.clock));
		setText(clock, state.at === null ? '--:--:--.---' : formatClock(state.at, state.clock));
		setText(zone, ZONES[state.clock.zone]);
	});
	return root;
}

function mountRate(app) {
	const rates = [0.1, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 4, 8, 16];
	const select = el('select', {
		id: 'rate', 'aria-label': 'Speed', title: 'Speed (J, L)',
		on: { change: () => app.player.setRate(Number(select.value)) },
	}, ...rates.map((rate) => el('option', { value: String(rate) }, `${rate}×`)));
	const other = el('option', { hidden: true });

	select.append(other);
	app.store.watch(['rate'], ({ rate }) => {
		if (!rates.includes(rate)) {
			other.value = String(rate);
			setText(other, `${rate}×`);
		}
		other.hidden = rates.includes(rate);
		select.value = String(rate);
	});
	return select;
}

function mountSound(app) {
	const { store } = app;
	const mute = button('Mute (M)', 'loud', () => store.set({ muted: !store.state.muted }), { 'aria-pressed': 'false' });
	const volume = el('input', {
		type: 'range', min: '0', max: '1', step: '0.05', 'aria-label': 'Volume', class: 'volume',
		on: { input: () => store.set({ volume: Number(volume.value), muted: false }) },
	});

	store.watch(['volume', 'muted'], (state) => {
		mute.replaceChildren(icon(state.muted || !state.volume ? 'mute' : 'loud'));
		mute.setAttribute('aria-pressed', String(state.muted));
		volume.value = String(state.volume);
	});
	return el('span', { class: 'group sound' }, mute, volume);
}

function mountLive(app) {
	const live = el('button', {
		type: 'button', class: 'live', id: 'live', title: 'Follow the stream (F)', 'aria-pressed': 'false',
		on: { click: () => app.player.follow() },
	}, el('span', { class: 'dot' }), 'Live');

	app.store.watch(['following'], ({ following }) => live.setAttribute('aria-pressed', String(following)));
	return live;
}

export function mountTransport(root, app) {
	const { store, player, marks } = app;
	const play = button('Play (Space)', 'play', () => player.toggle(), { id: 'play', class: 'icon primary' });

	root.append(
		el('div', { class: 'group', role: 'group', 'aria-label': 'Playing' },
			button('Back 5 seconds (Left)', 'back-more', () => player.skip(-5000)),
			button('Picture before (,)', 'back', () => player.step(-1)),
			play,
			button('Next picture (.)', 'forward', () => player.step(1)),
			button('Forward 5 seconds (Right)', 'forward-more', () => player.skip(5000))),
		mountTime(app),
		mountLive(app),
		el('div', { class: 'spacer' }),
		el('div', { class: 'group', role: 'group', 'aria-label': 'Marks' },
			el('button', { type: 'button', id: 'mark-in', title: 'Mark in (I)', on: { click: () => marks.markIn() } }, icon('in'), 'In'),
			el('button', { type: 'button', id: 'mark-out', title: 'Mark out (O)', on: { click: () => marks.markOut() } }, 'Out', icon('out'))),
		mountRate(app),
		mountSound(app),
		button('Full screen', 'full', () => document.getElementById('screen').requestFullscreen?.(), { class: 'icon full' }),
	);
	store.watch(['playing'], ({ playing }) => {
		const label = playing ? 'Pause' : 'Play';

		play.replaceChildren(icon(playing ? 'pause' : 'play'));
		play.setAttribute('aria-label', label);
		play.title = `${label} (Space)`;
	});
}
