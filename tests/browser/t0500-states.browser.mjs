/* What is met that is no video: nothing there, no such thing, a server that is busy. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { cp, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { openPage, until, waitForVideo } from './browser.mjs';
import { START, addressOf, goTo, openAt, press, said, shows } from './page.mjs';
import { archive, feed, serve, tempDir } from './server.mjs';
import { finish, test } from './tap.mjs';

const server = await serve(await archive('main'));
const shade = (page) => page.locator('#shade');

async function says(page, pattern) {
	await until(async () => await shade(page).isVisible() && pattern.test(await shade(page).textContent()), `words like ${pattern}`);
}

await test('an empty archive says so, and shows what comes', async () => {
	const base = await tempDir('empty');
	const page = await openPage(await serve(base));

	page.expect(/404.*chat\.json/);
	await says(page, /archive is empty/);
	await (await feed(base, Math.floor(Date.now() / 2000) * 2000 - 40000)).put(20);
	await waitForVideo(page);
	await until(async () => !await shade(page).isVisible(), 'the video to be seen');
});

await test('no such channel: it is named, and those that are there can be chosen', async () => {
	const page = await openPage(server, addressOf({ channel: 'nope <b>x' }));

	page.expect(/Failed to load resource.*404/);
	await says(page, /nope <b>x/);
	await shade(page).getByRole('button', { name: 'main' }).click();
	await waitForVideo(page);
	assert.equal(await page.locator('#channel').inputValue(), 'main');
});

await test('no such quality', async () => {
	const page = await openPage(server, addressOf({ quality: '1080p' }));

	page.expect(/Failed to load resource.*404/);
	await says(page, /no such quality/);
	await shade(page).getByRole('button', { name: '360p' }).click();
	await waitForVideo(page);
});

await test('a quality without any video', async () => {
	const page = await openPage(server, addressOf({ channel: 'empty' }));

	page.expect(/Failed to load resource.*404/);
	await says(page, /Nothing (is|was) recorded/);
	await page.locator('#channel').selectOption('main');
	await waitForVideo(page);
});

await test('a busy server is told of, and asked again', async () => {
	const page = await openPage(server, null);
	let isBusy = true;
	let refused = 0;

	page.expect(/Failed to load resource.*503/);
	await page.route(/\/coverage\//, (route) => isBusy && ++refused
		? route.fulfill({ status: 503, headers: { 'Retry-After': '1' }, contentType: 'text/plain', body: 'all places are taken\n' }) : route.continue());
	await page.goto(new URL(addressOf({ at: START + 10000 }), server.url).href);
	await until(async () => /busy/.test(await page.locator('#notices').textContent()), 'words');
	isBusy = false;
	await waitForVideo(page);
	await shows(page, 300);
	await until(async () => !await page.locator('#banner').isVisible(), 'the words to go');
	assert.ok(refused > 0);
});

await test('where the playlist alone is kept from it, it is asked for after pauses, and then plays', async () => {
	const page = await openPage(server, null);
	const refused = [];
	let isKept = true;

	page.expect(/Failed to load resource/, /request failed/);
	await page.route(/\/playlist\//, (route) => isKept && refused.push(performance.now()) ? route.abort('blockedbyclient') : route.continue());
	await page.goto(new URL(addressOf({ at: START + 10000 }), server.url).href);
	await until(async () => refused.length > 3, 'some times');
	/* hls.js asks twice itself. */
	const pauses = refused.slice(1).map((at, i) => at - refused[i]);

	assert.ok(Math.max(...pauses) > 900, `pauses of ${pauses.map(Math.round)} ms`);
	const before = refused.length;

	await new Promise((done) => setTimeout(done, 8000));
	assert.ok(refused.length - before <= 12, `${refused.length - before} in 8 s`);
	isKept = false;
	await waitForVideo(page);
	await shows(page, 300);
});

await test('a time before all there is', async () => {
	const page = await openAt(server, { at: START - 86400000 });

	await shows(page, 0);
});

await test('a segment that is no video is left out, and what follows is shown', async () => {
	const base = await tempDir('garbage');
	const folder = path.join(base, 'main', 'source', '2026-11-07T01');

	await cp(path.join(await archive('main'), 'main', 'source'), path.join(base, 'main', 'source'), { recursive: true });
	const [name] = (await readdir(folder)).filter((one) => one.startsWith('58:50'));

	/* The archive's files may be links to those of others. */
	await rm(path.join(folder, name));
	await writeFile(path.join(folder, name), randomBytes(100000));
	const page = await openAt(await serve(base), { at: START + 10000 });

	page.expect(/chat\.json/);
	await goTo(page, START + 21000);
	await shows(page, 660);
	await goTo(page, START + 18500);
	await press(page, 'k');
	await until(async () => await said(page) > START + 23000, 'what is behind it');
});

await test('what the browser cannot decode is said', async () => {
	const page = await openPage(server, null);

	await page.addInitScript(() => {
		const add = MediaSource.prototype.addSourceBuffer;

		MediaSource.prototype.addSourceBuffer = function (type) {
			if (type.startsWith('video/'))
				throw new DOMException(type, 'NotSupportedError');
			return add.call(this, type);
		};
	});
	await page.goto(new URL(addressOf({ at: START + 10000 }), server.url).href);
	await says(page, /cannot decode/);
});

await test('the help lists the keys, and Escape closes it', async () => {
	const page = await openAt(server, { at: START + 10000 });

	await page.keyboard.press('?');
	await page.getByRole('dialog').waitFor();
	assert.match(await page.getByRole('dialog').textContent(), /play this edit/);
	await page.keyboard.press('Escape');
	await page.getByRole('dialog').waitFor({ state: 'hidden' });
});

await finish();
