/* The panels: chat in step with the video, pictures and thumbnails as files. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { until } from './browser.mjs';
import { START, goTo, momentOf, openAt, pictureAt, press, shows } from './page.mjs';
import { archive, serve } from './server.mjs';
import { finish, test } from './tap.mjs';
import { absolute, urls } from '../../www/js/api.js';

const server = await serve(await archive('main'), ['--templates', await archive('templates')]);
const rows = (page) => page.locator('#chat .chat-row');

globalThis.document = { baseURI: server.url };

async function bytes(url) {
	const answer = await fetch(absolute(url));

	assert.equal(answer.status, 200, url);
	return Buffer.from(await answer.arrayBuffer());
}

/* Each message ends with the second in which it was sent. */
async function seconds(page) {
	const texts = await rows(page).locator('.chat-text').allTextContents();

	return texts.map((text) => Number(/(\d+)\D*$/.exec(text)[1]));
}

await test('the chat is that of the picture: what is to come is not there yet', async () => {
	const page = await openAt(server, { at: START + 31000 });

	await until(async () => (await seconds(page)).at(-1) === 30, 'the chat');
	await goTo(page, START + 77500);
	await until(async () => (await seconds(page)).at(-1) === 76, 'the later chat');
	await goTo(page, START + 5000);
	await until(async () => (await seconds(page)).at(-1) === 4, 'the earlier chat');
});

await test('names and messages are texts, whatever they look like', async () => {
	const page = await openAt(server, { at: START + 20000 });

	await until(async () => (await seconds(page)).length >= 10, 'the chat');
	const text = await page.locator('#chat').textContent();

	assert.ok(text.includes('<b>bold 2</b>') && text.includes('<img src=x onerror=alert(4)>') && text.includes('ünïcödé 🎬 6') && text.includes('Viewer 1 <i>'), text);
	assert.equal(await page.locator('#chat .chat-row').locator('b, i, img, script').count(), 0);
});

await test('a click on a message\'s time goes there', async () => {
	const page = await openAt(server, { at: START + 31000 });

	await until(async () => (await seconds(page)).at(-1) === 30, 'the chat');
	await rows(page).filter({ hasText: 'hello from second 20' }).getByRole('button').click();
	await shows(page, pictureAt(START + 20250));
});

await test('the chat is searched, and what is found is gone to', async () => {
	const page = await openAt(server, { at: START + 170000 });

	await press(page, '/');
	await page.keyboard.type('second 140');
	await page.keyboard.press('Enter');
	await page.locator('#chat .chat-found li', { hasText: 'second 140' }).getByRole('button').click();
	await shows(page, pictureAt(START + 140250));
});

async function download(page, name) {
	const [saved] = await Promise.all([page.waitForEvent('download'), page.locator('#picture').getByRole('button', { name }).click()]);

	return readFile(await saved.path());
}

await test('the picture that is shown, as a file', async () => {
	const page = await openAt(server, { at: momentOf(1111) });

	await shows(page, 1111);
	await page.locator('#tab-picture').click();
	assert.ok((await download(page, 'Save PNG')).equals(await bytes(urls.frame('main', 'source', momentOf(1111), null, 'png'))));
});

await test('a thumbnail: what is saved is what the server makes of it', async () => {
	const page = await openAt(server, { at: momentOf(1111) });
	const save = page.getByRole('button', { name: 'Save the thumbnail' });

	await shows(page, 1111);
	await page.locator('#tab-picture').click();
	await page.getByRole('button', { name: 'Take the picture at the playhead' }).click();
	await until(async () => await save.isVisible() && await save.isEnabled(), 'the thumbnail');
	assert.ok((await download(page, 'Save the thumbnail')).equals(await bytes(urls.thumbnail('main', 'source', momentOf(1111), 'blue'))));
});

await test('a quality without chat says so', async () => {
	const page = await openAt(server, { channel: 'sixty', at: START + 5000 });

	page.expect(/404.*chat\.json/);
	await until(async () => /no chat/i.test(await page.locator('#chat').textContent()), 'words');
});

await finish();
