/*
 * timeline-ticks.js - where a ruler has its ticks, and what they say.
 *
 * On UTC and local time they are at round times of that calendar, on a clock
 * that counts at round counts.  Where the local clock is put forward or back,
 * ticks stay at round local times.  Knows no document.
 */
import { DAY, formatDuration, HOUR, MINUTE, SECOND } from './time.js';

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/* Up to an hour every multiple of a step is round on any clock of the world, once its offset is added. */
const SHORT = [1, 2, 5, 10, 20, 50, 100, 200, 500, SECOND, 2 * SECOND, 5 * SECOND, 10 * SECOND, 15 * SECOND,
	30 * SECOND, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR];
const HOURS = [2, 3, 6, 12];
const MONTH = 30 * DAY;
const YEAR = 365 * DAY;

/** Steps of a calendar, ascending: { ms, unit, count }. */
const STEPS = [
	...SHORT.map((ms) => ({ ms, unit: 'ms', count: ms })),
	...HOURS.map((count) => ({ ms: count * HOUR, unit: 'hour', count })),
	...[1, 2, 7].map((count) => ({ ms: count * DAY, unit: 'day', count })),
	...[1, 2, 3, 6].map((count) => ({ ms: count * MONTH, unit: 'month', count })),
	...[1, 2, 5, 10, 20, 50, 100].map((count) => ({ ms: count * YEAR, unit: 'year', count })),
];
const COUNTS = [...SHORT, ...HOURS.map((n) => n * HOUR), ...[1, 2, 5, 10, 20, 50, 100, 200, 500].map((n) => n * DAY)]
	.map((ms) => ({ ms, unit: 'ms', count: ms }));

/** What a zone makes of moments. */
function calendarOf(zone) {
	if (zone === 'local')
		return {
			offset: (ms) => -new Date(ms).getTimezoneOffset() * MINUTE,
			parts: (ms) => {
				const d = new Date(ms);

				return { year: d.getFullYear(), month: d.getMonth(), day: d.getDate(), weekday: d.getDay(), hour: d.getHours() };
			},
			moment: (year, month, day = 1, hour = 0) => new Date(year, month, day, hour).getTime(),
		};
	return {
		offset: () => 0,
		parts: (ms) => {
			const d = new Date(ms);

			return { year: d.getUTCFullYear(), month: d.getUTCMonth(), day: d.getUTCDate(), weekday: d.getUTCDay(), hour: d.getUTCHours() };
		},
		moment: (year, month, day = 1, hour = 0) => Date.UTC(year, month, day, hour),
	};
}

function stepFor(msPerPx, clock, minPx) {
	const steps = clock.zone === 'since' ? COUNTS : STEPS;

	return steps.find((step) => step.ms / msPerPx >= minPx) ?? steps.at(-1);
}

/* Multiples of up to an hour; after the clock was changed by half an hour they are others. */
function everyShort(from, to, step, offset) {
	const found = [];

	for (let ms = Math.ceil((from + offset(from)) / step) * step - offset(from); ms <= to; ms += step) {
		const wrong = (ms + offset(ms)) % step;

		if (wrong)
			ms += step - wrong;
		found.push(ms);
	}
	return found;
}

function everyHour(from, to, count, calendar) {
	const found = [];
	const { year, month, day } = calendar.parts(from);

	for (let n = 0; calendar.moment(year, month, day + n) <= to; n++)
		for (let hour = 0; hour < 24; hour += count) {
			const ms = calendar.moment(year, month, day + n, hour);

			if (calendar.parts(ms).hour === hour && ms >= from && ms <= to)
				found.push(ms);
		}
	return found;
}

function everyDay(from, to, count, calendar) {
	const found = [];
	const { year, month, day } = calendar.parts(from);

	for (let n = 0; ; n++) {
		const ms = calendar.moment(year, month, day + n);

		if (ms > to)
			return found;
		const at = calendar.parts(ms);
		const isRound = count === 7 ? at.weekday === 1 : count === 1 || at.day % 2 === 1 && at.day < 30;

		if (isRound && ms >= from)
			found.push(ms);
	}
}

function everyMonth(from, to, months, calendar) {
	const found = [];
	const { year, month } = calendar.parts(from);
	const first = Math.floor((year * 12 + month) / months) * months;

	for (let n = first; ; n += months) {
		const ms = calendar.moment(Math.floor(n / 12), n % 12);

		if (ms > to)
			return found;
		if (ms >= from)
			found.push(ms);
	}
}

function momentsOf(from, to, step, clock) {
	const calendar = calendarOf(clock.zone);

	if (clock.zone === 'since') {
		const zero = clock.zero ?? 0;

		return everyShort(from, to, step.count, () => -(zero % step.count));
	}
	switch (step.unit) {
	case 'ms': return everyShort(from, to, step.count, calendar.offset);
	case 'hour': return everyHour(from, to, step.count, calendar);
	case 'day': return everyDay(from, to, step.count, calendar);
	case 'month': return everyMonth(from, to, step.count, calendar);
	default: return everyMonth(from, to, step.count * 12, calendar);
	}
}

const two = (n) => String(n).padStart(2, '0');

function labelOf(ms, step, clock) {
	const whole = Math.round(ms);

	if (clock.zone === 'since') {
		const since = whole - Math.round(clock.zero ?? 0);
		const text = formatDuration(Math.abs(since), step.ms < SECOND ? 3 : 0);

		return (since < 0 ? '-' : '') + (Math.abs(since) < HOUR ? `0:${text.padStart(step.ms < SECOND ? 9 : 5, '0')}` : text);
	}
	const calendar = calendarOf(clock.zone);
	const { year, month, day, hour } = calendar.parts(whole);
	const inDay = whole + calendar.offset(whole);
	const minute = Math.floor(inDay / MINUTE) % 60;
	const second = Math.floor(inDay / SECOND) % 60;

	switch (step.unit) {
	case 'year': return String(year);
	case 'month': return `${MONTHS[month]}`;
	case 'day': return `${day} ${MONTHS[month]}`;
	}
	if (step.ms >= MINUTE)
		return `${two(hour)}:${two(minute)}`;
	const text = `${two(hour)}:${two(minute)}:${two(second)}`;

	return step.ms < SECOND ? `${text}.${String(((inDay % 1000) + 1000) % 1000).padStart(3, '0')}` : text;
}

/** Sat 7 Nov 2026: the day of a moment; empty on a clock that counts. */
export function dayLabel(ms, clock, withYear = true) {
	if (clock.zone === 'since')
		return '';
	const { year, month, day, weekday } = calendarOf(clock.zone).parts(Math.floor(ms));

	return `${DAYS[weekday]} ${day} ${MONTHS[month]}${withYear ? ` ${year}` : ''}`;
}

/** Ticks of a range: { step, major: [{ ms, label }], minor: [ms] }; labels are minPx apart. */
export function ticksOf({ from, to, msPerPx }, clock, minPx = 84) {
	const step = stepFor(msPerPx, clock, minPx);
	const fine = stepFor(msPerPx, clock, 9);
	const major = momentsOf(from - step.ms, to + step.ms, step, clock).map((ms) => ({ ms, label: labelOf(ms, step, clock) }));

	return { step, major, minor: fine.ms < step.ms ? momentsOf(from, to, fine, clock) : [] };
}

/**
 * The larger units behind a ruler's labels: [{ ms, label }], where each begins,
 * the first at or before from.  Days, or months and years where steps are.
 */
export function contextOf({ from, to }, step, clock) {
	if (clock.zone === 'since')
		return [];
	const calendar = calendarOf(clock.zone);
	const { year, month, day } = calendar.parts(Math.floor(from));

	if (step.unit === 'year')
		return [];
	if (step.unit === 'month')
		return [calendar.moment(year, 0), ...everyMonth(from + 1, to, 12, calendar)]
			.map((ms) => ({ ms, label: String(calendar.parts(ms).year) }));
	if (step.unit === 'day')
		return [calendar.moment(year, month), ...everyMonth(from + 1, to, 1, calendar)]
			.map((ms) => ({ ms, label: `${MONTHS[calendar.parts(ms).month]} ${calendar.parts(ms).year}` }));
	return [calendar.moment(year, month, day), ...everyDay(from + 1, to, 1, calendar)]
		.map((ms) => ({ ms, label: dayLabel(ms, clock) }));
}
