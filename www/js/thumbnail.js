/*
 * thumbnail.js - a picture of the stream under a template.
 *
 * The server composes it, and on what it made the place is dragged: what is
 * seen is what is saved, and what the URL and the line for curl give.  A
 * template is one of the server's, or a file of the user's that is sent along
 * and kept nowhere.
 */
import { absolute, urls } from './api.js';
import { fitAspect, heightOf, sameShape, wholeBox, widthOf } from './boxmath.js';
import { createBoxEditor } from './boxes.js';
import { curlLine } from './commands.js';
import { safeName } from './cutplan.js';
import { clear, copyText, el, icon, setText } from './dom.js';
import { saveBlob } from './saving.js';
import { formatTime, isoTime } from './time.js';

const SETTLE = 250;
const OWN = '\u0000own';

function build() {
	return {
		take: el('button', { type: 'button' }, icon('camera'), 'Take the picture at the playhead'),
		taken: el('p', { class: 'small quiet time' }),
		template: el('select', {}),
		file: el('input', { type: 'file', accept: 'image/png,image/jpeg', class: 'visually-hidden', tabIndex: -1, 'aria-hidden': 'true' }),
		upload: el('button', { type: 'button' }, icon('plus'), 'Use a file'),
		about: el('p', { class: 'small quiet' }),
		lock: el('input', { type: 'checkbox' }),
		reset: el('button', { type: 'button', class: 'bare', title: 'The template’s own boxes' }, icon('undo'), 'Reset'),
		fault: el('p', { class: 'small bad', role: 'status' }),
		save: el('button', { type: 'button', class: 'primary' }, icon('download'), 'Save the thumbnail'),
		copy: el('button', { type: 'button' }, icon('copy'), 'Copy curl'),
	};
}

/* Width and height first of all: the bitmap of a Blob, or of an answer of the server. */
const bitmapOf = async (blob) => createImageBitmap(blob);

export function mountThumbnail(root, app) {
	const { state } = app.store;
	const parts = build();
	const crop = createBoxEditor({ label: 'Cut out of the picture', onChange: refresh, aspect: () => parts.lock.checked ? shape() : null });
	const location = createBoxEditor({ label: 'Place in the thumbnail', onChange: placed, isShaded: false });
	const shown = el('div', { class: 'thumb-half' }, el('h3', {}, 'Thumbnail, and the place of the picture in it'), location.root);
	const body = el('div', { class: 'thumb-body' });
	let templates = null;
	let chosen = null;
	let taken = null;
	let frame = null;
	let result = null;
	let timer = 0;
	let asking = null;

	const shape = () => widthOf(location.value) / heightOf(location.value);

	function placed() {
		if (parts.lock.checked)
			crop.set(fitAspect(crop.value, shape(), crop.picture));
		refresh();
	}

	const urlNow = () => urls.thumbnail(taken.channel, taken.quality, taken.at, chosen.file ? null : chosen.name, crop.value, location.value);

	function refresh() {
		body.hidden = !frame || !chosen?.bitmap;
		clearTimeout(timer);
		asking?.abort();
		shown.classList.add('stale');
		parts.save.disabled = true;
		result = null;
		if (frame && chosen?.bitmap)
			timer = setTimeout(compose, SETTLE);
	}

	async function compose() {
		const stop = asking = new AbortController();
		const post = chosen.file ? { method: 'POST', body: chosen.file, headers: { 'Content-Type': chosen.file.type || 'image/png' } } : {};

		try {
			const blob = await app.api.blob(urlNow(), { signal: stop.signal, ...post });
			const bitmap = await bitmapOf(blob);

			if (asking !== stop)
				return;
			result = blob;
			location.show(bitmap);
			setText(parts.fault, '');
			shown.classList.remove('stale');
			parts.save.disabled = false;
		} catch (error) {
			if (asking === stop && !stop.signal.aborted)
				setText(parts.fault, error.message);
		}
	}

	async function take() {
		if (state.at === null || !state.channel || !state.quality)
			return;
		const wanted = taken = { at: Math.floor(state.at), channel: state.channel, quality: state.quality };

		parts.take.disabled = true;
		frame = null;
		try {
			const bitmap = await bitmapOf(await app.api.blob(urls.frame(wanted.channel, wanted.quality, wanted.at)));

			if (taken !== wanted)
				return;
			frame = bitmap;
			const isFirst = crop.picture.width !== bitmap.width || crop.picture.height !== bitmap.height;

			crop.show(bitmap);
			if (isFirst)
				setBoxes();
			setText(parts.fault, '');
			tellTaken();
			refresh();
		} catch (error) {
			setText(parts.fault, `The picture cannot be taken: ${error.message}`);
		} finally {
			parts.take.disabled = false;
		}
	}

	const tellTaken = () => taken && setText(parts.taken, `Picture of ${formatTime(taken.at, { zone: 'utc' })} UTC`);

	/* The template's own boxes, or all of a picture that brings none. */
	function setBoxes() {
		if (!chosen?.bitmap || !frame)
			return;
		location.set(chosen.location ?? wholeBox(location.picture));
		crop.set(chosen.crop ?? fitAspect(wholeBox(crop.picture), shape(), crop.picture));
		parts.lock.checked = sameShape(crop.value, location.value);
	}

	async function choose(template) {
		chosen = template;
		setText(parts.about, [template.description, template.attribution].filter(Boolean).join(' · '));
		try {
			template.bitmap ??= await bitmapOf(template.file ?? await app.api.blob(urls.template(template.name)));
		} catch (error) {
			setText(parts.fault, template.file ? 'This file is no picture that the browser can read.' : `The template cannot be read: ${error.message}`);
			return;
		}
		if (chosen !== template)
			return;
		location.show(template.bitmap);
		setText(parts.fault, '');
		setBoxes();
		refresh();
	}

	function listTemplates() {
		clear(parts.template);
		for (const [i, template] of templates.entries())
			parts.template.append(el('option', { value: String(i) }, template.file ? `${template.name} (own file)` : template.name));
		parts.template.disabled = !templates.length;
		parts.template.value = String(templates.indexOf(chosen));
	}

	async function load() {
		templates = [];
		try {
			const list = await app.api.json(urls.templates());

			templates = list.filter((one) => typeof one?.name === 'string' && Array.isArray(one.crop) && Array.isArray(one.location));
			if (!templates.length)
				setText(parts.about, 'The server has no templates yet; a file of your own will do.');
		} catch (error) {
			setText(parts.about, error.status === 501 ? 'The server keeps no templates (it is started with --templates DIR or --db for that); a file of your own will do.'
				: `The templates cannot be listed: ${error.message}`);
		}
		if (templates.length)
			choose(templates[0]);
		listTemplates();
	}

	function upload() {
		const [file] = parts.file.files;

		parts.file.value = '';
		if (!file)
			return;
		templates.push({ name: file.name, file, crop: null, location: null, description: '', attribution: '' });
		choose(templates.at(-1));
		listTemplates();
	}

	const fileName = () => safeName(`${taken.channel}-${isoTime(taken.at)}-thumbnail`, 'thumbnail') + '.png';

	async function copyLine() {
		const sent = chosen.file ? { type: chosen.file.type || 'image/png', name: chosen.file.name } : null;

		app.say(await copyText(curlLine(absolute(urlNow()), fileName(), { upload: sent })) ? 'Copied' : 'The browser does not let the page copy.', { kind: 'info' });
	}

	body.append(
		el('div', { class: 'thumb-half' }, el('h3', {}, 'Cut out'), crop.root),
		shown,
		el('div', { class: 'row' }, el('label', { class: 'check' }, parts.lock, 'Keep the picture undistorted'), el('span', { class: 'spacer' }), parts.reset),
		el('div', { class: 'row' }, parts.save, parts.copy));
	body.hidden = true;
	root.append(el('h2', {}, 'Thumbnail'),
		el('div', { class: 'row' }, parts.take), parts.taken,
		el('div', { class: 'row' }, el('label', { class: 'field grow' }, el('span', {}, 'Template'), parts.template), parts.upload, parts.file), parts.about, parts.fault, body);

	parts.take.addEventListener('click', take);
	parts.template.addEventListener('change', () => choose(templates[Number(parts.template.value)]));
	parts.upload.addEventListener('click', () => parts.file.click());
	parts.file.addEventListener('change', upload);
	parts.lock.addEventListener('change', placed);
	parts.reset.addEventListener('click', () => { setBoxes(); refresh(); });
	parts.save.addEventListener('click', () => result && saveBlob(result, fileName()));
	parts.copy.addEventListener('click', copyLine);

	/* Nothing is asked for before the panel is looked at. */
	const stopWatching = app.store.watch(['tab', 'at'], () => {
		if (state.tab !== 'picture' || state.at === null || templates)
			return;
		load();
		take();
		queueMicrotask(() => stopWatching());
	});
}
