/*
 * What the video shows is what the page says it shows: at any place, after any
 * step, and on both sides of holes.
 *
 * Environment:  SEEK_COUNT   how many random places (20)
 *               SEEK_SEED    of these (1)
 */
import assert from 'node:assert/strict';
import { readBarcode, record, until, waitForVideo } from './browser.mjs';
import { START, goTo, isPlaying, momentOf, openAt, pause, pictureAt, press, said, shows } from './page.mjs';
import { archive, serve } from './server.mjs';
import { finish, test } from './tap.mjs';
import { seeded } from './unit/old-node.mjs';

const server = await serve(await archive('main'));
const restarts = await serve(await archive('restarts'));
const random = seeded(Number(process.env.SEEK_SEED ?? 1));

/* Seconds that channel main lacks: missing, behind a partial segment, between the runs. */
const HOLES = [[40, 42], [61.4, 62], [90, 100]];
const isInHole = (ms) => HOLES.some(([from, to]) => ms >= START + from * 1000 - 100 && ms < START + to * 1000);

/*
 * Seconds.  Of a hole the list leaves a quarter, and the last sound before it, up to 0.2 s, is in the segment that is
 * missing: there a browser has no more to play.  A segment is of 2 s.
 */
const LEAST_LOSS = 0.5;

await test('it plays', async () => {
	const page = await openAt(server, { at: START + 5000 });
	const pictures = await record(page);

	await shows(page, 150);
	await press(page, 'Space');
	await until(async () => (await pictures.seen()).length > 40, 'pictures');
	assert.ok(await isPlaying(page));
	await pause(page);
	const seen = await pictures.seen();

	assert.deepEqual(seen, [...seen].sort((a, b) => a - b), 'in their order');
	assert.equal(await readBarcode(page), seen.at(-1));
});

await test('it plays on over a hole, without loss on either side', async () => {
	const page = await openAt(server, { at: START + 38000 });
	const pictures = await record(page);

	await press(page, 'Space');
	await until(async () => (await pictures.seen()).at(-1) > 44 * 30, 'the other side');
	await pause(page);
	const seen = await pictures.seen();
	const leap = await pictures.leap();

	assert.ok(seen.every((n) => n < 1200 || n >= 1260), `of the hole there is nothing: ${seen}`);
	for (const [from, to] of [[38, 40], [42, 44]])
		assert.ok(seen.some((n) => n >= from * 30 && n < to * 30), `pictures from ${from} to ${to}: ${seen}`);
	assert.ok(leap < LEAST_LOSS, `nothing is left out: it went ahead by ${leap} s`);
});

await test('and over the encoder\'s new beginning', async () => {
	const page = await openAt(server, { at: START + 88500 });
	const pictures = await record(page);

	await press(page, 'Space');
	await until(async () => (await pictures.seen()).at(-1) > 3030, 'the second run');
	await pause(page);
	const seen = await pictures.seen();
	const leap = await pictures.leap();

	assert.ok(seen.every((n) => n < 2700 || n >= 3000), `${seen}`);
	assert.ok(seen.some((n) => n >= 2655 && n < 2700), `up to the end: ${seen}`);
	assert.ok(leap < LEAST_LOSS, `nothing is left out: it went ahead by ${leap} s`);
});

async function checkSeeks(channel, fps, seconds, count) {
	const page = await openAt(server, { channel, at: START });

	page.expect(/404.*chat\.json/);
	for (let i = 0; i < count; i++) {
		const ms = Math.floor(START + random() * (seconds * 1000 - 100));

		if (channel === 'main' && isInHole(ms))
			continue;
		await goTo(page, ms);
		await shows(page, pictureAt(ms, fps), { fps });
	}
}

const count = Number(process.env.SEEK_COUNT ?? 20);

await test(`${count} random places: the picture is the one that a cut from there begins with`, () => checkSeeks('main', 30, 180, count));
await test('the same at 60 pictures a second', () => checkSeeks('sixty', 60, 20, Math.ceil(count / 2)));

await test('where the encoder begins anew without a hole: played over, and sought on both sides', async () => {
	const page = await openAt(restarts, { channel: 'restarts', at: START + 58500 });
	const pictures = await record(page);

	page.expect(/404.*chat\.json/);
	await press(page, 'Space');
	await until(async () => (await pictures.seen()).at(-1) > 65 * 30, 'the third run');
	await pause(page);
	const seen = await pictures.seen();

	assert.deepEqual(seen, [...seen].sort((a, b) => a - b), 'in their order');
	for (const [from, to] of [[58.5, 60], [60, 62], [62, 64], [64, 65]])
		assert.ok(seen.some((n) => n >= from * 30 && n < to * 30), `pictures from ${from} to ${to}: ${seen}`);
	for (const seconds of [3.1, 63.3, 59.95, 60, 68.2, 61.5, 64.03, 0.5]) {
		await goTo(page, START + seconds * 1000);
		await shows(page, pictureAt(START + seconds * 1000));
	}
});

/* Each in a page of its own, which knows nothing of what it will find. */
await test('a seek to right before such a place, where what follows is loaded while it is under way', async () => {
	for (const [from, to] of [[1, 59.9], [1, 59.2], [1, 63.95], [75, 59.6], [75, 1], [30, 61]]) {
		const page = await openAt(restarts, { channel: 'restarts', at: START + from * 1000 });

		page.expect(/404.*chat\.json/);
		await shows(page, from * 30);
		await goTo(page, START + to * 1000);
		await shows(page, pictureAt(START + to * 1000));
	}
});

await test('behind the last picture before garbage is the first one after it', async () => {
	const page = await openAt(restarts, { channel: 'restarts', at: START + 66000 });

	page.expect(/404.*chat\.json/);
	await shows(page, 66 * 30);
	await goTo(page, START + 69500);
	await shows(page, 69.5 * 30);
	await goTo(page, START + 69990);
	await shows(page, 72 * 30);
	await press(page, 'Space');
	await until(async () => await said(page) > START + 73000, 'what follows');
	await pause(page);
	/* The browser does not show the last pictures before what is missing; what it shows instead is said. */
	await goTo(page, START + 69930);
	await until(async () => await said(page) < START + 70000, 'a picture before it');
	await pause(page);
	assert.ok(await said(page) > START + 69500);
});

await test('steps of one picture, forwards and back, over the end of a segment', async () => {
	const page = await openAt(server, { at: momentOf(178) });

	await shows(page, 178);
	for (const n of [179, 180, 181]) {
		await press(page, '.');
		await shows(page, n);
	}
	for (const n of [180, 179, 178, 177]) {
		await press(page, ',');
		await shows(page, n);
	}
});

await test('arrows go five seconds, and what is typed goes from there', async () => {
	const page = await openAt(server, { at: START + 10000 });

	await shows(page, 300);
	await press(page, 'ArrowRight');
	await shows(page, 450);
	await press(page, 'ArrowLeft');
	await shows(page, 300);
	await goTo(page, '+7s');
	await shows(page, 510);
	await goTo(page, '01:59:00');
	await shows(page, 900);
});

await test('back over holes: by five seconds, and played backwards', async () => {
	const page = await openAt(server, { at: START + 100500 });

	await shows(page, 3015);
	await press(page, 'ArrowLeft');
	await shows(page, 2699);
	await goTo(page, START + 100200);
	await shows(page, 3006);
	await press(page, 'j');
	await until(async () => await said(page) < START + 90000, 'a moment before the hole');
	await press(page, 'k');
});

await test('played backwards it stops at the beginning', async () => {
	const page = await openAt(server, { at: START + 600 });

	await press(page, 'j');
	await until(async () => await said(page) === START, 'the first picture');
	await until(async () => await page.locator('#play').getAttribute('aria-label') === 'Play', 'a pause');
	await shows(page, 0);
});

await test('a place in a hole shows the first picture behind it, as a cut begins with it', async () => {
	const page = await openAt(server, { at: START + 10000 });

	for (const [second, n] of [[40.5, 1260], [95, 3000], [39.9, 1197]]) {
		await goTo(page, START + second * 1000);
		await shows(page, n);
	}
});

await test('what is no time is said to be none, and goes nowhere', async () => {
	const page = await openAt(server, { at: START + 10000 });

	await shows(page, 300);
	await goTo(page, 'yesterday');
	await until(async () => /\S/.test(await page.locator('#jump-means').textContent()) || await page.locator('#jump-time[aria-invalid="true"]').count(), 'words');
	await shows(page, 300);
});

await test('another quality is another size and the same moment', async () => {
	const page = await openAt(server, { at: START + 10000 });

	await shows(page, 300);
	await page.locator('#quality').selectOption('360p');
	await until(() => page.evaluate(() => document.getElementById('video').videoWidth === 320), 'the other size');
	await shows(page, 300);
});

await test('a clock that counts, and one of the place', async () => {
	const page = await openAt(server, { at: START + 65000, clock: { zone: 'since', zero: START } }, { timezoneId: 'America/New_York' });

	await waitForVideo(page);
	await until(async () => /0:01:05\.000/.test(await page.locator('#moment').textContent()), 'a count');
	await page.locator('#clock').selectOption('local');
	await until(async () => /20:59:35\.000/.test(await page.locator('#moment').textContent()), 'the time of the place');
	assert.equal(await readBarcode(page), 65 * 30);
	await page.locator('#clock').selectOption('utc');
	assert.equal(await said(page), START + 65000);
});

await test('what there is without video: hls.js cannot be had', async () => {
	const { openPage } = await import('./browser.mjs');
	const page = await openPage(server, null);

	page.expect(/hls\.light/, /Failed to load resource/);
	await page.route(/hls\.light/, (route) => route.fulfill({ status: 404, body: '' }));
	await page.goto(server.url);
	await until(async () => await page.locator('#channel option').count() >= 2, 'the channels');
	await until(() => page.locator('#shade').isVisible(), 'words over the video');
	assert.match(await page.locator('#shade').textContent(), /\w/);
});

await finish();
