/*
 * templates.js - choosing the template of a thumbnail: one of the server's, or
 * a file of the user's that is kept nowhere but in the page.
 */
import { urls } from './api.js';
import { clear, el, icon, setText } from './dom.js';

const NONE = 'The server has no templates yet; a file of your own will do.';
const NOT_KEPT = 'The server keeps no templates (it is started with --templates DIR or --db for that); a file of your own will do.';

const isBox = (box) => Array.isArray(box) && box.length === 4 && box.every(Number.isInteger);
const isTemplate = (one) => typeof one?.name === 'string' && isBox(one.crop) && isBox(one.location);

function build() {
	return {
		select: el('select', { disabled: true }),
		file: el('input', { type: 'file', accept: 'image/png,image/jpeg', class: 'visually-hidden', tabIndex: -1, 'aria-hidden': 'true' }),
		upload: el('button', { type: 'button' }, icon('plus'), 'Use a file'),
		about: el('p', { class: 'small quiet' }),
	};
}

/**
 * onChoose(template) with { name, bitmap, crop, location, file }, boxes null and
 * file a File where it is the user's own; onFault(words).  root: what is to be
 * shown; load() asks for the server's, if they are not known.
 */
export function createTemplates(app, onChoose, onFault) {
	const parts = build();
	const list = [];
	let chosen = null;
	let isKnown = false;

	function draw() {
		clear(parts.select);
		list.forEach((template, i) => parts.select.append(el('option', { value: String(i) }, template.file ? `${template.name} (own file)` : template.name)));
		parts.select.disabled = !list.length;
		parts.select.value = String(list.indexOf(chosen));
	}

	async function choose(template) {
		chosen = template;
		draw();
		setText(parts.about, [template.description, template.attribution].filter((text) => typeof text === 'string' && text).join(' · '));
		try {
			template.bitmap ??= await createImageBitmap(template.file ?? await app.api.blob(urls.template(template.name)));
			if (chosen === template)
				onChoose(template);
		} catch (error) {
			onFault(template.file ? 'This file is no picture that the browser can read.' : `The template cannot be read: ${error.message}`);
		}
	}

	function add() {
		const [file] = parts.file.files;

		parts.file.value = '';
		if (!file)
			return;
		list.push({ name: file.name, file, crop: null, location: null });
		choose(list.at(-1));
	}

	async function load() {
		if (isKnown)
			return;
		isKnown = true;
		try {
			list.push(...(await app.api.json(urls.templates())).filter(isTemplate));
			draw();
			if (list.length)
				choose(chosen ?? list[0]);
			else
				setText(parts.about, NONE);
		} catch (error) {
			isKnown = error.status === 501;
			setText(parts.about, error.status === 501 ? NOT_KEPT : `The templates cannot be listed: ${error.message}`);
		}
	}

	parts.select.addEventListener('change', () => choose(list[Number(parts.select.value)]));
	parts.upload.addEventListener('click', () => parts.file.click());
	parts.file.addEventListener('change', add);
	return {
		load,
		root: [el('div', { class: 'row' }, el('label', { class: 'field grow' }, el('span', {}, 'Template'), parts.select), parts.upload, parts.file), parts.about],
	};
}
