/*
 * picture.js - the picture that is shown, as a file; and thumbnails.
 */
import { absolute, urls } from './api.js';
import { curlLine } from './commands.js';
import { safeName } from './cutplan.js';
import { copyText, el, icon, setText } from './dom.js';
import { saveBlob } from './saving.js';
import { mountThumbnail } from './thumbnail.js';
import { formatTime, isoTime } from './time.js';

const canCopy = () => window.isSecureContext && 'ClipboardItem' in window && Boolean(navigator.clipboard?.write);

function build() {
	return {
		time: el('p', { class: 'picture-time time' }),
		save: el('button', { type: 'button', class: 'primary' }, icon('download'), 'Save PNG'),
		copy: el('button', { type: 'button', hidden: !canCopy(), 'aria-label': 'Copy the picture' }, icon('copy'), 'Copy'),
		line: el('button', { type: 'button' }, icon('copy'), 'Copy curl'),
		words: el('p', { class: 'small bad', role: 'status' }),
	};
}

export function mountPicture(root, app) {
	const { state } = app.store;
	const parts = build();
	const thumbnail = el('section', { class: 'picture-part', 'aria-label': 'Thumbnail' });
	let asked = false;

	root.classList.add('picture');
	root.append(el('section', { class: 'picture-part', 'aria-label': 'Picture at the playhead' }, el('h2', {}, 'Picture at the playhead'), parts.time,
		el('div', { class: 'row' }, parts.save, parts.copy, parts.line), parts.words), thumbnail);
	mountThumbnail(thumbnail, app);

	const grabbed = () => ({
		url: urls.frame(state.channel, state.quality, state.at, null, 'png'),
		name: safeName(`${state.channel}-${isoTime(state.at)}`, 'picture') + '.png',
	});

	async function grab(button, use) {
		button.disabled = true;
		setText(parts.words, '');
		try {
			await use(grabbed());
		} catch (error) {
			setText(parts.words, `The picture cannot be had: ${error.message}`);
		} finally {
			draw();
		}
	}

	/* Safari wants the promise itself within the click. */
	const copy = ({ url }) => navigator.clipboard.write([new ClipboardItem({ 'image/png': app.api.blob(url) })]).then(() => app.say('The picture is copied', { kind: 'info' }));

	function draw() {
		const has = state.at !== null && Boolean(state.channel && state.quality);

		asked = false;
		setText(parts.time, has ? `${formatTime(state.at, { zone: 'utc' })} UTC` : 'No picture is shown');
		for (const button of [parts.save, parts.copy, parts.line])
			button.disabled = !has;
	}

	function ask() {
		if (asked || state.tab !== 'picture')
			return;
		asked = true;
		requestAnimationFrame(draw);
	}

	parts.save.addEventListener('click', () => grab(parts.save, async ({ url, name }) => saveBlob(await app.api.blob(url), name)));
	parts.copy.addEventListener('click', () => grab(parts.copy, copy));
	parts.line.addEventListener('click', async () => {
		const { url, name } = grabbed();

		app.say(await copyText(curlLine(absolute(url), name)) ? 'Copied' : 'The browser does not let the page copy.', { kind: 'info' });
	});
	app.store.watch(['at', 'tab', 'channel', 'quality'], ask);
	draw();
}
