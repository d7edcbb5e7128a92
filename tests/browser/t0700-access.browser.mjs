/* axe-core finds nothing to complain about in any main state of the page, dark and light, wide and narrow. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { openPage, until } from './browser.mjs';
import { START, addressOf, momentOf, openAt, press, shows } from './page.mjs';
import { archive, serve, tempDir } from './server.mjs';
import { finish, test } from './tap.mjs';

const server = await serve(await archive('main'), ['--templates', await archive('templates')]);
const nothing = await serve(await tempDir('empty'));
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/* Each fault with where it is. */
async function check(page, state) {
	if (!await page.evaluate(() => 'axe' in window))
		await page.evaluate(axe);
	const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));

	assert.deepEqual(violations.map(({ id, help, nodes }) => `${state}: ${id}: ${help}: ${nodes.slice(0, 3).map((node) => `${node.target} ${node.any[0]?.message ?? ''}`).join('; ')}`), []);
}

const RANGES = [[momentOf(330), momentOf(375)], [START + 38000, START + 44000], [momentOf(3100), null]];
const SIZES = [{ width: 1440, height: 900 }, { width: 390, height: 844 }];

for (const colorScheme of ['dark', 'light'])
	for (const viewport of SIZES) {
		const where = `${colorScheme}, ${viewport.width}x${viewport.height}`;

		await test(`${where}: an edit, and each panel`, async () => {
			const page = await openAt(server, { at: momentOf(600), ranges: RANGES, joins: [{ type: 'fade', seconds: 1 }] }, { colorScheme, viewport });

			await shows(page, 600);
			await until(async () => await page.locator('#chat .chat-row').count() > 5, 'the chat');
			await check(page, 'chat');
			await page.locator('#tab-cut').click();
			await until(async () => /1 hole/.test(await page.locator('#cut').textContent()), 'the plan');
			await page.locator('#cut summary').click();
			await check(page, 'cut');
			await page.locator('#tab-picture').click();
			await page.getByRole('button', { name: 'Take the picture at the playhead' }).click();
			await until(() => page.getByRole('button', { name: 'Save the thumbnail' }).isEnabled(), 'the thumbnail');
			await check(page, 'picture');
			await press(page, '?');
			await page.getByRole('dialog').waitFor();
			await check(page, 'keys');
		});
		await test(`${where}: nothing there, and no such channel`, async () => {
			const page = await openPage(nothing, '', { colorScheme, viewport });

			await page.getByText(/archive is empty/).waitFor();
			await check(page, 'empty');
			const other = await openPage(server, addressOf({ channel: 'nope' }), { colorScheme, viewport });

			other.expect(/Failed to load resource.*404/);
			await until(() => other.locator('#shade').getByRole('button').first().isVisible(), 'a way out');
			await check(other, 'no channel');
		});
	}

await test('nothing is wider than a narrow screen', async () => {
	const page = await openAt(server, { at: momentOf(600), ranges: RANGES }, { viewport: SIZES[1] });

	await shows(page, 600);
	for (const tab of ['chat', 'cut', 'picture']) {
		await page.locator(`#tab-${tab}`).click();
		assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390, tab);
	}
});

await test('the link to the video goes there, and keeps what is marked', async () => {
	const page = await openAt(server, { at: momentOf(330), ranges: RANGES });

	await shows(page, 330);
	await page.locator('.skip').focus();
	const address = page.url();

	await page.keyboard.press('Enter');
	assert.equal(await page.evaluate(() => document.activeElement.id), 'stage');
	assert.equal(page.url(), address);
	await shows(page, 330);
});

await test('the parts are there by role, and the keyboard reaches all that can be clicked', async () => {
	const page = await openAt(server, { at: momentOf(600) });

	for (const name of ['Video', 'Timeline', 'Edit'])
		await page.getByRole('region', { name }).waitFor();
	await page.getByRole('tablist').waitFor();
	const reached = new Set();

	for (let i = 0; i < 80; i++) {
		await page.keyboard.press('Tab');
		reached.add(await page.evaluate(() => document.activeElement.id || document.activeElement.getAttribute('aria-label') || document.activeElement.textContent));
	}
	for (const id of ['channel', 'quality', 'jump-time', 'clock', 'share', 'play', 'live', 'mark-in', 'mark-out', 'rate'])
		assert.ok(reached.has(id), `${id} is not among ${[...reached]}`);
});

await finish();
