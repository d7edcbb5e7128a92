/* Marks, ranges and joins: by keyboard, in the address, undone, and played. */
import assert from 'node:assert/strict';
import { record, until } from './browser.mjs';
import { START, addressOf, goTo, isPlaying, marked, momentOf, openAt, pictureAt, press, said, shows } from './page.mjs';
import { archive, serve } from './server.mjs';
import { finish, test } from './tap.mjs';

const server = await serve(await archive('main'));
const restarts = await serve(await archive('restarts'));

/** Until the address says these marks. */
async function marks(page, ranges) {
	let last = null;

	await until(async () => JSON.stringify(last = await marked(page)) === JSON.stringify(ranges), 'the marks', 10000)
		.catch(() => assert.deepEqual(last, ranges));
}

await test('I, O and N: the pictures that are shown are in the range', async () => {
	const page = await openAt(server, { at: momentOf(301) });

	await shows(page, 301);
	await press(page, 'i');
	await marks(page, [[momentOf(301), null]]);
	await goTo(page, momentOf(400));
	await shows(page, 400);
	await press(page, 'o');
	await marks(page, [[momentOf(301), momentOf(401)]]);
	await goTo(page, momentOf(2000));
	await shows(page, 2000);
	await press(page, 'n');
	await press(page, '.');
	await shows(page, 2001);
	await press(page, 'o');
	await marks(page, [[momentOf(301), momentOf(401)], [momentOf(2000), momentOf(2002)]]);
});

await test('the buttons do the same', async () => {
	const page = await openAt(server, { at: momentOf(301) });

	await shows(page, 301);
	await page.locator('#mark-in').click();
	await page.getByRole('button', { name: 'Next picture' }).click();
	await shows(page, 302);
	await page.locator('#mark-out').click();
	await marks(page, [[momentOf(301), momentOf(303)]]);
});

await test('an out mark before the in mark is refused, in words', async () => {
	const page = await openAt(server, { at: momentOf(300), ranges: [[momentOf(600), null]] });

	await shows(page, 300);
	await press(page, 'o');
	await until(async () => /behind/i.test(await page.locator('#notices').textContent()), 'words');
	assert.deepEqual(await marked(page), [[momentOf(600), null]]);
});

await test('undo and redo, by keyboard', async () => {
	const page = await openAt(server, { at: momentOf(300) });

	await shows(page, 300);
	await press(page, 'i', '.');
	await shows(page, 301);
	await press(page, 'o');
	await marks(page, [[momentOf(300), momentOf(302)]]);
	await press(page, 'Control+z');
	await marks(page, [[momentOf(300), null]]);
	await press(page, 'Control+z');
	await marks(page, []);
	await press(page, 'Control+Shift+z', 'Control+Shift+z');
	await marks(page, [[momentOf(300), momentOf(302)]]);
	await press(page, 'Delete');
	await marks(page, []);
	await press(page, 'Control+z');
	await marks(page, [[momentOf(300), momentOf(302)]]);
});

await test('brackets move a mark by a picture, and show it', async () => {
	const page = await openAt(server, { at: momentOf(600), ranges: [[momentOf(300), momentOf(360)]] });

	await shows(page, 600);
	await press(page, ']');
	await shows(page, 301);
	await press(page, 'Shift+BracketLeft');
	await shows(page, 358);
	/* As a cut takes them: from the first picture to before the last one. */
	await until(async () => JSON.stringify((await marked(page))[0].map((ms) => pictureAt(ms))) === '[301,359]', 'the marks')
		.catch(async () => assert.deepEqual((await marked(page))[0].map((ms) => pictureAt(ms)), [301, 359]));
});

await test('a mark that is moved by many pictures, and back, is where it was', async () => {
	const page = await openAt(server, { at: momentOf(600), ranges: [[momentOf(300), momentOf(500)]] });

	await shows(page, 600);
	await press(page, ...Array(70).fill(']'));
	await shows(page, 370);
	await press(page, ...Array(70).fill('['));
	await shows(page, 300);
	await marks(page, [[momentOf(300), momentOf(500)]]);
});

await test('letters that are typed into a field are no commands', async () => {
	const page = await openAt(server, { at: momentOf(300) });

	await shows(page, 300);
	await page.locator('#jump-time').focus();
	await page.keyboard.type('io n,.');
	await page.keyboard.press('Escape');
	assert.deepEqual(await marked(page), []);
	await shows(page, 300);
});

const EDIT = [[momentOf(330), momentOf(375)], [momentOf(3100), momentOf(3160)], [momentOf(150), momentOf(200)]];

await test('"play this edit" plays its ranges, all of them and nothing else', async () => {
	const page = await openAt(server, { at: momentOf(600), ranges: EDIT });
	const inside = (n) => EDIT.findIndex(([from, to]) => n >= Math.round((from - START) * 0.03) && n < Math.round((to - START) * 0.03));

	await shows(page, 600);
	const pictures = await record(page);
	const edges = EDIT.flatMap(([from, to]) => [Math.round((from - START) * 0.03), Math.round((to - START) * 0.03) - 1]);
	const missing = new Set(edges);
	let before = (await pictures.seen()).length;

	/* A busy machine leaves pictures out, but not the same ones each time; what is outside it never shows. */
	for (let plays = 0; missing.size && plays < 6; plays++) {
		await press(page, 'e');
		await until(async () => (await pictures.seen()).slice(before).some((n) => n >= 195 && n < 200), 'the end of the edit', 25000);
		await until(async () => !await isPlaying(page), 'the end');
		const seen = (await pictures.seen()).slice(before).filter((n) => n !== 600);
		const order = seen.map(inside).filter((range, k, all) => range !== all[k - 1]);

		assert.deepEqual(seen.filter((n) => inside(n) < 0), [], `pictures that are in no range (seen: ${seen})`);
		assert.deepEqual(order, [0, 1, 2], 'the ranges in their order');
		seen.forEach((n) => missing.delete(n));
		await shows(page, 199);
		missing.delete(199);
		before = (await pictures.seen()).length;
	}
	assert.deepEqual([...missing], [], 'first and last pictures that were never shown');
	await shows(page, 199);
});

/* The edit [[from, to]] in pictures of channel restarts, played from one of its ranges on. */
async function playsRestarts(ranges, first, during = async () => {}) {
	const page = await openAt(restarts, { channel: 'restarts', at: momentOf(60), ranges: ranges.map((range) => range.map((n) => momentOf(n))) });
	const [, end] = ranges.at(-1);

	page.expect(/404.*chat\.json/);
	await shows(page, 60);
	const pictures = await record(page);

	if (first)
		await page.getByRole('button', { name: 'Play the edit from here' }).nth(first).click();
	else
		await press(page, 'e');
	await during(page, pictures);
	await until(async () => (await pictures.seen()).some((n) => n >= end - 10 && n < end), 'the end of the edit', 25000);
	await shows(page, end - 1);
	const seen = (await pictures.seen()).filter((n) => n !== 60);

	assert.deepEqual(seen, [...seen].sort((a, b) => a - b), 'in their order');
	assert.deepEqual(seen.filter((n) => !ranges.slice(first).some(([from, to]) => n >= from && n < to)), [], `nothing else: ${seen}`);
	for (const [from, to] of ranges.slice(first))
		for (const half of [[from, (from + to) / 2], [(from + to) / 2, to]])
			assert.ok(seen.some((n) => n >= half[0] && n < half[1]), `pictures ${half}: ${seen}`);
}

await test('an edit over places where the encoder begins anew', () => playsRestarts([[1780, 1820], [1905, 1940]], 0));
await test('the same from its second range on, right before such a place', () => playsRestarts([[300, 360], [1770, 1815]], 1));
await test('an edit goes on where the server was away', () => playsRestarts([[300, 345], [1500, 1560]], 0, async (page, pictures) => {
	page.expect(/ERR_INTERNET_DISCONNECTED|Failed to fetch/);
	await until(async () => (await pictures.seen()).some((n) => n >= 300 && n < 345), 'the first range');
	await page.context().setOffline(true);
	await until(async () => await page.locator('#banner').isVisible(), 'that it is away');
	await new Promise((done) => setTimeout(done, 8000));
	await page.context().setOffline(false);
}));

await test('a link shares it: the same marks, joins, time and clock', async () => {
	const joins = [{ type: 'wipeleft', seconds: 0.5 }, null];
	const page = await openAt(server, { at: momentOf(600), ranges: EDIT, joins });

	await shows(page, 600);
	await goTo(page, momentOf(777));
	await shows(page, 777);
	await page.locator('#share').click();
	const link = await until(() => page.evaluate(() => navigator.clipboard.readText()), 'the link');
	const { openPage } = await import('./browser.mjs');
	const other = await openPage(server, link);

	await shows(other, 777);
	assert.deepEqual(await marked(other), EDIT);
	assert.ok(new URL(link).hash.includes('transition=wipeleft,0.5'), link);
	assert.equal(await said(other), momentOf(777));
});

await test('marks that are set while it plays are there after a reload at once', async () => {
	const page = await openAt(server, { at: momentOf(301) });

	await press(page, 'k');
	await until(async () => await isPlaying(page) && await said(page) > momentOf(310), 'it to play');
	await press(page, 'i');
	await until(async () => await said(page) > momentOf(330), 'it to play on');
	await press(page, 'o');
	const length = await page.locator('#edit-sum').textContent();

	await page.reload();
	assert.match(length, /^1 range/);
	await until(async () => await page.locator('#edit-sum').textContent() === length, 'the range');
});

await test('a transition is chosen, is in the address, and is previewed', async () => {
	const page = await openAt(server, { at: momentOf(600), ranges: EDIT.slice(0, 2) });

	await shows(page, 600);
	await page.getByLabel('Transition between 1 and 2').selectOption('wipeleft');
	await until(() => page.url().includes('transition=wipeleft,1'), 'the address');
	await page.getByRole('spinbutton', { name: 'Seconds' }).fill('0.5');
	await page.getByRole('spinbutton', { name: 'Seconds' }).press('Enter');
	await until(() => page.url().includes('transition=wipeleft,0.5'), 'the address');
	await page.locator('#strip').getByRole('button', { name: 'Look' }).click();
	await until(() => page.evaluate(() => document.querySelector('#preview video')?.currentTime > 0.2), 'the preview to play');
	assert.match(await page.evaluate(() => document.querySelector('#preview video').currentSrc), /\/cut\/main\/source\.mp4\?.*transition=wipeleft,0\.5/);
	await page.locator('#preview').getByRole('button', { name: 'Close' }).click();
	assert.equal(await page.locator('#preview video').count(), 0);
});

await test('an address that is changed by hand is followed', async () => {
	const page = await openAt(server, { at: momentOf(600) });

	await shows(page, 600);
	await page.evaluate((hash) => { location.hash = hash; }, addressOf({ at: momentOf(900), ranges: EDIT }));
	await shows(page, 900);
	await marks(page, EDIT);
	/* Another channel, and undone is what it did to the marks. */
	await page.evaluate((hash) => { location.hash = hash; }, addressOf({ channel: 'sixty', at: START + 5000 }));
	await until(async () => await page.locator('#channel').inputValue() === 'sixty' && /01:58:35\.000/.test(await page.locator('#moment').textContent()), 'the other channel');
	await page.getByRole('button', { name: 'Undo' }).click();
	await marks(page, EDIT);
});

await finish();
