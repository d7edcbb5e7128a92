/* The live edge: new segments are shown as they come, and the page is there again after the server was away. */
import assert from 'node:assert/strict';
import { readBarcode, until, waitForVideo } from './browser.mjs';
import { goTo, isPlaying, openAt, press, said, shows, START } from './page.mjs';
import { archive, feed, serve, tempDir } from './server.mjs';
import { end, finish, test } from './tap.mjs';

const FPS = 5;
/* Faults that are of the tests: the channel has no chat, the server is away. */
const NO_CHAT = /404.*chat\.json/;
const AWAY = [NO_CHAT, /Failed to load resource/, /request failed/];
const SEGMENT = 2000;
/* What may lie between the newest segment's end and what is shown: the page's distance, a segment, a reload, and a machine that is busy. */
const BEHIND = 10 * SEGMENT;

const base = await tempDir('live');
const live = await feed(base, Math.floor(Date.now() / SEGMENT) * SEGMENT - 60 * SEGMENT);

await live.put(59);
let isOver = false;

/* Each segment when its time is over, as a stream has it. */
async function stream() {
	while (!isOver) {
		await live.put(Math.floor((Date.now() - live.end) / SEGMENT));
		await new Promise((resolve) => setTimeout(resolve, 100));
	}
}

const streaming = stream();

end(() => {
	isOver = true;
	return streaming;
});
const server = await serve(base);

/* Milliseconds from the shown picture to the end of what there is. */
async function lag(page) {
	const n = await readBarcode(page);

	return n === null ? Infinity : live.end - (live.start + n * 1000 / FPS);
}

await test('it begins at the live edge, and stays there', async () => {
	const page = await openAt(server, { channel: 'live' });

	page.expect(NO_CHAT);
	await until(async () => await page.locator('#live').getAttribute('aria-pressed') === 'true', 'following');
	await until(async () => await lag(page) <= BEHIND, 'the live edge');
	const first = await readBarcode(page);

	for (let n = first; n < first + 8 * SEGMENT / 1000 * FPS;) {
		await until(async () => await readBarcode(page) > n, 'the next pictures', 20000);
		n = await readBarcode(page);
		assert.ok(await lag(page) <= BEHIND, `${await lag(page)} ms behind`);
	}
	assert.ok(!/[?&]t=/.test(new URL(page.url()).hash), 'the address says no time');
});

await test('who goes back stays back, and F brings the live edge', async () => {
	const page = await openAt(server, { channel: 'live' });

	page.expect(NO_CHAT);
	await until(async () => await lag(page) <= BEHIND, 'the live edge');
	await goTo(page, live.start + 20000);
	await until(async () => await page.locator('#live').getAttribute('aria-pressed') === 'false', 'not following');
	await press(page, 'k');
	await until(async () => !await isPlaying(page), 'a pause');
	const there = Math.floor((await said(page) - live.start) * FPS / 1000);

	assert.ok(there >= 100 && there < 200, `picture ${there}`);
	await shows(page, there, { fps: FPS, start: live.start });
	await press(page, 'f');
	await until(async () => await lag(page) <= BEHIND, 'the live edge');
	assert.ok(await isPlaying(page));
});


/* Twenty minutes, so that the player's list has lost its beginning. */
const long = await tempDir('long');
const past = await feed(long, Math.floor(Date.now() / SEGMENT) * SEGMENT - 600 * SEGMENT);

await past.put(599);
const second = await serve(long);

await test('who goes back to what the list has lost since sees the moment that was asked for', async () => {
	const page = await openAt(second, { channel: 'live', at: past.end - 720000 });
	const wanted = past.end - 660000;
	let from = 0;

	page.expect(NO_CHAT);
	page.on('response', (answer) => {
		if (/\/playlist\//.test(answer.url()))
			from = Date.parse(`${new URL(answer.url()).searchParams.get('start')}Z`);
	});
	await goTo(page, past.end - 60000);
	await until(async () => {
		await past.put(Math.floor((Date.now() - past.end) / SEGMENT));
		return from > wanted;
	}, 'a shorter list');
	await goTo(page, wanted);
	await shows(page, (wanted - past.start) * FPS / 1000, { fps: FPS, start: past.start });
});

await test('the server is killed while the stream is followed: it is said, and goes on by itself', async () => {
	const page = await openAt(server, { channel: 'live' });

	page.expect(...AWAY);
	await until(async () => await lag(page) <= BEHIND, 'the live edge');
	await server.stop();
	await page.getByText(/server cannot be reached/).first().waitFor();
	await server.start();
	await page.getByText(/server cannot be reached/).first().waitFor({ state: 'hidden' });
	await until(async () => await lag(page) <= BEHIND, 'the live edge again');
	const n = await readBarcode(page);

	await until(async () => await readBarcode(page) > n + FPS, 'it to play on');
});

const main = await serve(await archive('main'));

await test('the server is killed under an archive: what was wanted is shown when it is back', async () => {
	const page = await openAt(main, { at: START + 10000 });

	page.expect(...AWAY);
	await shows(page, 300);
	await main.stop();
	await goTo(page, START + 150000);
	await page.getByText(/server cannot be reached/).first().waitFor();
	await main.start();
	await page.getByText(/server cannot be reached/).first().waitFor({ state: 'hidden' });
	await waitForVideo(page);
	await shows(page, 4500);
});

await finish();
