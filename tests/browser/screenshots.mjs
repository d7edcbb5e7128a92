/* screenshots.mjs DIR - photographs the page's main states; see screenshots. */
import path from 'node:path';
import { openPage, until } from './browser.mjs';
import { START, addressOf, momentOf, openAt, press, shows } from './page.mjs';
import { archive, serve, tempDir } from './server.mjs';
import { finish, test } from './tap.mjs';

const dir = process.argv[2];
const server = await serve(await archive('main'), ['--templates', await archive('templates')]);
const nothing = await serve(await tempDir('empty'));
const week = await serve(await archive('week'));
const RANGES = [[momentOf(330), momentOf(375)], [START + 38000, START + 44000], [momentOf(3100), momentOf(3300)]];
const STATES = {
	async edit(options) {
		const page = await openAt(server, { at: momentOf(600), ranges: RANGES, joins: [{ type: 'fade', seconds: 1 }] }, options);

		await shows(page, 600);
		await until(async () => await page.locator('#chat .chat-row').count() > 5, 'the chat');
		return page;
	},
	async cut(options) {
		const page = await STATES.edit(options);

		await page.locator('#tab-cut').click();
		await until(async () => /1 hole/.test(await page.locator('#cut').textContent()), 'the plan');
		return page;
	},
	async thumbnail(options) {
		const page = await STATES.edit(options);

		await page.locator('#tab-picture').click();
		await page.getByRole('button', { name: 'Take the picture at the playhead' }).click();
		await until(() => page.getByRole('button', { name: 'Save the thumbnail' }).isEnabled(), 'the thumbnail');
		return page;
	},
	async keys(options) {
		const page = await STATES.edit(options);

		await press(page, '?');
		await page.getByRole('dialog').waitFor();
		return page;
	},
	async week(options) {
		const page = await openAt(week, { channel: 'week', at: Date.parse('2026-10-29T12:00:00Z') }, options);

		page.expect(/chat\.json/);
		await page.getByRole('button', { name: 'All', exact: true }).click();
		return page;
	},
	async empty(options) {
		const page = await openPage(nothing, '', options);

		await page.getByText(/archive is empty/).waitFor();
		return page;
	},
	async 'no-channel'(options) {
		const page = await openPage(server, addressOf({ channel: 'nope' }), options);

		page.expect(/404/);
		await until(() => page.locator('#shade').getByRole('button').first().isVisible(), 'a way out');
		return page;
	},
};

for (const [name, open] of Object.entries(STATES))
	for (const colorScheme of ['dark', 'light'])
		for (const [size, viewport] of Object.entries({ wide: { width: 1440, height: 900 }, narrow: { width: 390, height: 844 } }))
			await test(`${name}-${size}-${colorScheme}`, async () => {
				const page = await open({ colorScheme, viewport });

				await page.waitForLoadState('networkidle');
				await page.screenshot({ path: path.join(dir, `${name}-${size}-${colorScheme}.png`), animations: 'disabled' });
			});
await finish();
