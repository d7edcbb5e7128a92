/*
 * thumbnail.js - a picture of the stream under a template.
 *
 * The server composes it, and on what it made the place is dragged: what is
 * seen is what is saved, and what the URL and the line for curl give.
 */
import { absolute, urls } from './api.js';
import { fitAspect, heightOf, sameShape, wholeBox, widthOf } from './boxmath.js';
import { createBoxEditor } from './boxes.js';
import { curlLine } from './commands.js';
import { safeName } from './cutplan.js';
import { copyText, el, icon, setText } from './dom.js';
import { saveBlob } from './saving.js';
import { createTemplates } from './templates.js';
import { formatTime, isoTime } from './time.js';

const SETTLE = 250;

function build() {
	return {
		take: el('button', { type: 'button' }, icon('camera'), 'Take the picture at the playhead'),
		taken: el('p', { class: 'small quiet time' }),
		lock: el('input', { type: 'checkbox' }),
		reset: el('button', { type: 'button', class: 'bare', title: 'The template’s own boxes' }, icon('undo'), 'Reset'),
		save: el('button', { type: 'button', class: 'primary' }, icon('download'), 'Save the thumbnail'),
		copy: el('button', { type: 'button' }, icon('copy'), 'Copy curl'),
		fault: el('p', { class: 'small bad', role: 'status' }),
		body: el('div', { class: 'thumb-body', hidden: true }),
	};
}

/*
 * Asks for what ask(signal) gives, a moment after the last change; what is no
 * longer of interest is called off.
 */
function createComposer(ask, onBlob, onFault) {
	let timer = 0;
	let running = null;

	async function send() {
		const stop = running = new AbortController();

		try {
			const blob = await ask(stop.signal);
			const bitmap = await createImageBitmap(blob);

			if (running === stop)
				onBlob(blob, bitmap);
		} catch (error) {
			if (running === stop && !stop.signal.aborted)
				onFault(error.message);
		}
	}

	return {
		drop() {
			clearTimeout(timer);
			running?.abort();
			running = null;
		},
		ask() {
			this.drop();
			timer = setTimeout(send, SETTLE);
		},
	};
}

const typeOf = (template) => template.file.type || 'image/png';

export function mountThumbnail(root, app) {
	const { state } = app.store;
	const parts = build();
	const fault = (words) => setText(parts.fault, words);
	const crop = createBoxEditor({ label: 'Cut out of the picture', onChange: refresh, aspect: () => parts.lock.checked ? shape() : null });
	const location = createBoxEditor({ label: 'Place in the thumbnail', onChange: placed, isShaded: false });
	const shown = el('div', { class: 'thumb-half' }, el('h3', {}, 'Thumbnail, and the place of the picture in it'), location.root);
	const composer = createComposer(compose, made, fault);
	const templates = createTemplates(app, chose, fault);
	let template = null;
	let taken = null;
	let frame = null;
	let result = null;
	let isOpen = false;

	const shape = () => widthOf(location.value) / heightOf(location.value);
	const urlNow = () => urls.thumbnail(taken.channel, taken.quality, taken.at, template.file ? null : template.name, crop.value, location.value);
	const fileName = () => safeName(`${taken.channel}-${isoTime(taken.at)}-thumbnail`, 'thumbnail') + '.png';

	function compose(signal) {
		const sent = template.file ? { method: 'POST', body: template.file, headers: { 'Content-Type': typeOf(template) } } : {};

		return app.api.blob(urlNow(), { signal, ...sent });
	}

	function made(blob, bitmap) {
		result = blob;
		location.show(bitmap);
		fault('');
		shown.classList.remove('stale');
		parts.save.disabled = false;
	}

	function refresh() {
		const has = Boolean(frame && template);

		parts.body.hidden = !has;
		shown.classList.add('stale');
		parts.save.disabled = true;
		result = null;
		if (has)
			composer.ask();
		else
			composer.drop();
	}

	function placed() {
		if (parts.lock.checked)
			crop.set(fitAspect(crop.value, shape(), crop.picture));
		refresh();
	}

	/* The template's own boxes, or all of a picture that brings none. */
	function setBoxes() {
		if (!template || !frame)
			return;
		location.set(template.location ?? wholeBox(location.picture));
		crop.set(template.crop ?? fitAspect(wholeBox(crop.picture), shape(), crop.picture));
		parts.lock.checked = sameShape(crop.value, location.value);
	}

	function reset() {
		setBoxes();
		refresh();
	}

	function chose(next) {
		template = next;
		location.show(template.bitmap);
		fault('');
		reset();
	}

	async function take() {
		if (state.at === null || !state.channel || !state.quality)
			return;
		templates.load();
		const wanted = taken = { at: Math.floor(state.at), channel: state.channel, quality: state.quality };

		frame = null;
		try {
			const bitmap = await createImageBitmap(await app.api.blob(urls.frame(wanted.channel, wanted.quality, wanted.at)));

			if (taken === wanted)
				took(bitmap);
		} catch (error) {
			if (taken === wanted) {
				fault(`The picture cannot be taken: ${error.message}`);
				refresh();
			}
		}
	}

	function took(bitmap) {
		const isOther = crop.picture.width !== bitmap.width || crop.picture.height !== bitmap.height;

		frame = bitmap;
		crop.show(bitmap);
		if (isOther)
			setBoxes();
		fault('');
		setText(parts.taken, `${taken.channel}, ${formatTime(taken.at, { zone: 'utc' })} UTC`);
		refresh();
	}

	async function copyLine() {
		const upload = template.file ? { type: typeOf(template), name: template.file.name } : null;

		app.say(await copyText(curlLine(absolute(urlNow()), fileName(), { upload })) ? 'Copied' : 'The browser does not let the page copy.', { kind: 'info' });
	}

	parts.body.append(
		el('div', { class: 'thumb-half' }, el('h3', {}, 'Cut out'), crop.root), shown,
		el('div', { class: 'row' }, el('label', { class: 'check' }, parts.lock, 'Keep the picture undistorted'), el('span', { class: 'spacer' }), parts.reset),
		el('div', { class: 'row' }, parts.save, parts.copy));
	root.append(el('h2', {}, 'Thumbnail'), el('div', { class: 'row' }, parts.take), parts.taken, ...templates.root, parts.fault, parts.body);
	parts.take.addEventListener('click', take);
	parts.lock.addEventListener('change', placed);
	parts.reset.addEventListener('click', reset);
	parts.save.addEventListener('click', () => result && saveBlob(result, fileName()));
	parts.copy.addEventListener('click', copyLine);

	/* Nothing is asked for before the panel is looked at. */
	app.store.watch(['tab', 'at'], () => {
		if (isOpen || state.tab !== 'picture' || state.at === null)
			return;
		isOpen = true;
		take();
	});
}
