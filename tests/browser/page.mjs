/*
 * page.mjs - the page's parts, as its users find them, and what they say.
 *
 * Moments are milliseconds since 1970, UTC.
 */
import assert from 'node:assert/strict';
import { formatAddress } from '../../www/js/address.js';
import { isoTime } from '../../www/js/time.js';
import { openPage, readBarcode, until, waitForVideo } from './browser.mjs';

/** What make-archives writes: picture n of channel main is at START + n * 1000 / 30. */
export const START = Date.parse('2026-11-07T01:58:30Z');

/** The edit of pairs of moments, as the page has it. */
export function editOf(ranges, joins = []) {
	return {
		ranges: ranges.map(([from, to], i) => ({ id: i + 1, in: from, out: to })),
		joins: ranges.slice(1).map((_, i) => joins[i] ?? null),
		selected: ranges.length ? 1 : null,
	};
}

/** The page's address with such a state. */
export function addressOf({ channel = 'main', quality = 'source', at = null, ranges = [], joins = [], clock = { zone: 'utc', zero: null } } = {}) {
	return formatAddress({ channel, quality, at, edit: editOf(ranges, joins), clock });
}

/** Opens the page in a state, and waits until it shows a picture. */
export async function openAt(server, state = {}, options = {}) {
	const page = await openPage(server, addressOf(state), options);

	await waitForVideo(page);
	return page;
}

/** The moment that the page says it shows, or null. */
export async function said(page) {
	const text = await page.locator('#moment').textContent();
	const found = /^(\d{4}-\d\d-\d\d)\s*(\d\d:\d\d:\d\d\.\d{3})\s*UTC$/.exec(text);

	return found ? Date.parse(`${found[1]}T${found[2]}Z`) : null;
}

/** The number of the picture that a cut from a moment begins with. */
export const pictureAt = (ms, fps = 30, start = START) => Math.ceil((ms - start) * fps / 1000 - 1e-6);

/** The whole millisecond of a picture. */
export const momentOf = (n, fps = 30, start = START) => Math.floor(start + n * 1000 / fps + 1e-6);

/* Until [picture shown, picture said] is right; throws with what is wanted. */
async function untilShown(page, { fps = 30, start = START, modulo = 65536 }, isRight, wanted) {
	let last = [];

	await until(async () => {
		await waitForVideo(page);
		const moment = await said(page);

		last = [await readBarcode(page), moment === null ? null : pictureAt(moment, fps, start)];
		return last[0] === last[1] % modulo && isRight(last[1]);
	}, 'the picture', 15000).catch((error) => assert.fail(`${wanted} is wanted, ${last[0]} is shown, and the page says ${last[1]}: ${error.message}`));
}

/** Until the page shows picture n, and says so. */
export const shows = (page, n, format = {}) => untilShown(page, format, (shown) => shown === n, `picture ${n}`);

/** Pauses.  What is on its way then may still be shown: until the page stands still, and says what it shows. */
export async function pause(page) {
	await press(page, 'k');
	await until(async () => !await isPlaying(page), 'a pause');
	await untilShown(page, {}, () => true, 'any picture');
}

/** Types a time into "Go to". */
export async function goTo(page, text) {
	await page.locator('#jump-time').fill(typeof text === 'number' ? isoTime(text) : text);
	await page.locator('#jump-time').press('Enter');
}

/** Keys go to the page, and not to a field of it. */
export async function press(page, ...keys) {
	await page.evaluate(() => document.activeElement?.blur());
	for (const key of keys)
		await page.keyboard.press(key);
}

export const isPlaying = (page) => page.evaluate(() => !document.getElementById('video').paused);

/** What is marked, as the page's address says it. */
export async function marked(page) {
	const { parseAddress } = await import('../../www/js/address.js');

	return parseAddress(new URL(page.url()).hash).edit.ranges.map((range) => [range.in, range.out]);
}
