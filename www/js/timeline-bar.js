/*
 * timeline-bar.js - the row above the timeline: what is shown, how much of it
 * is missing, and buttons that zoom.
 */
import { el, icon, setText } from './dom.js';
import { DAY, formatClock, formatDuration, HOUR, MINUTE, SECOND } from './time.js';
import { totalsOf } from './timeline-coverage.js';
import { dayLabel } from './timeline-ticks.js';

const PRESETS = [[DAY, '1 day'], [HOUR, '1 h'], [10 * MINUTE, '10 min'], [MINUTE, '1 min']];

const plural = (n, one) => `${n} ${one}${n === 1 ? '' : 's'}`;

/** 10 min, 2.5 days, 350 ms. */
export function spanWords(ms) {
	const units = [[DAY, 'day'], [HOUR, 'h'], [MINUTE, 'min'], [SECOND, 's']];
	const [unit, name] = units.find(([length]) => ms >= length * 0.9995) ?? [1, 'ms'];
	const count = ms / unit;
	const text = count >= 100 || Math.abs(count - Math.round(count)) < 0.005 ? String(Math.round(count)) : String(Number(count.toPrecision(2)));

	return `${text} ${name}${name === 'day' && text !== '1' ? 's' : ''}`;
}

/** Sat 7 Nov 2026 02:00:00 – 02:10:00; the second day only where it is another. */
export function viewWords(view, clock) {
	const digits = view.to - view.from < 10 * SECOND ? 3 : 0;
	const [first, last] = [dayLabel(view.from, clock), dayLabel(view.to, clock)];
	const times = [formatClock(view.from, clock, digits), formatClock(view.to, clock, digits)];

	if (view.to - view.from > 3 * DAY && first)
		return `${first} – ${last}`;
	return `${first} ${times[0]} – ${first === last ? '' : last} ${times[1]}`.replace(/ +/g, ' ').trim();
}

/** { holes, missing } in words, or '' where there are none. */
export function holesWords(totals) {
	if (!totals?.holes && !totals?.missing)
		return '';
	if (totals.missing >= DAY)
		return `${plural(totals.holes, 'hole')}, ${spanWords(totals.missing)} missing`;
	return `${plural(totals.holes, 'hole')}, ${formatDuration(totals.missing, totals.missing < 10 * SECOND ? 2 : 0)} missing`;
}

/** move: { glide(factor), show(ms), fit(), now(), nextHole() } of timeline-views.js; returns { node, update() }. */
export function createBar(app, coverage, move) {
	const { state } = app.store;
	const shown = el('span', { class: 'tl-shown time' });
	const span = el('span', { class: 'tl-span quiet' });
	const holes = el('button', { type: 'button', class: 'tl-holes', hidden: true, title: 'Show the next hole', on: { click: move.nextHole } });
	const button = (props, ...children) => el('button', { type: 'button', ...props }, ...children);
	const presets = PRESETS.map(([ms, label]) =>
		button({ 'aria-label': `Show ${label}`, dataset: { ms }, on: { click: () => move.show(ms) } }, label));
	const all = button({ title: 'Show all of the archive', on: { click: move.fit } }, 'All');
	const node = el('div', { class: 'tl-bar' },
		shown, span, holes, el('span', { class: 'spacer' }),
		el('div', { class: 'tl-zoom', role: 'group', 'aria-label': 'Zoom' },
			button({ class: 'icon', 'aria-label': 'Zoom out', title: 'Zoom out (wheel)', on: { click: () => move.glide(2) } }, icon('minus')),
			all, ...presets,
			button({ class: 'icon', 'aria-label': 'Zoom in', title: 'Zoom in (wheel)', on: { click: () => move.glide(1 / 2) } }, icon('plus'))),
		button({ class: 'tl-now', title: 'To the newest moment', on: { click: move.now } }, el('span', { class: 'tl-dot' }), 'Now'));

	let timer = 0;

	/* Ten times a second at most: each time the row is laid out anew. */
	function update() {
		timer ||= setTimeout(write, 100);
	}

	function write() {
		timer = 0;
		const { view, archive, clock } = state;
		const whole = archive ? archive.to - archive.from : 0;

		setText(shown, view ? viewWords(view, clock) : '');
		setText(span, view ? spanWords(view.to - view.from) : '');
		setText(holes, view && archive ? holesWords(totalsOf(view, archive, coverage)) : '');
		holes.hidden = !holes.textContent;
		for (const preset of presets)
			preset.disabled = !view || Number(preset.dataset.ms) > whole * 1.5;
		all.disabled = !view;
		node.classList.toggle('tl-following', state.following);
	}

	return { node, update };
}
