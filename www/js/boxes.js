/*
 * boxes.js - a picture with a box on it that can be dragged and stretched.
 *
 * By pointer, by its eight handles, by arrow keys (shift: ten pixels), and by
 * numbers.  Places are in pixels of the picture, whatever its size on screen.
 */
import { faultOf, heightOf, isOutside, moveBox, resizeBox, widthOf } from './boxmath.js';
import { el, setText } from './dom.js';

const HANDLES = { nw: 'top left corner', n: 'top edge', ne: 'top right corner', e: 'right edge', se: 'bottom right corner', s: 'bottom edge', sw: 'bottom left corner', w: 'left edge' };
const SIDES = ['left', 'top', 'right', 'bottom'];
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function build(label, isShaded) {
	const canvas = el('canvas', { class: 'box-picture', role: 'img', 'aria-label': `Picture behind the box: ${label}` });
	const handles = Object.entries(HANDLES).map(([name, words]) =>
		el('button', { type: 'button', class: `box-handle ${name}`, tabIndex: -1, dataset: { handle: name }, 'aria-label': `${label}: ${words}` }));
	const shade = el('div', { class: 'box-shade' });
	const box = el('div', { class: 'box', role: 'group', tabIndex: 0, 'aria-roledescription': 'movable box' }, ...handles);
	const fields = SIDES.map((side) => el('input', { type: 'number', step: 1, 'aria-label': `${label}, ${side}` }));
	const size = el('span', { class: 'quiet small' });

	return {
		canvas, box, shade, fields, size,
		stage: el('div', { class: 'box-stage' }, el('div', { class: 'box-ground' }, canvas, isShaded ? el('div', { class: 'box-shades' }, shade) : null, box)),
		numbers: el('div', { class: 'box-numbers' }, ...fields.map((field, i) => el('label', { class: 'field stack' }, el('span', {}, SIDES[i]), field))),
	};
}

/**
 * onChange(box) when the user has changed it.  aspect() is the width by height
 * that is to be kept, or null.  isShaded: what is outside the box is darker.
 */
export function createBoxEditor({ label, onChange, aspect = () => null, isShaded = true }) {
	const parts = build(label, isShaded);
	const root = el('div', { class: 'box-editor' }, parts.stage, parts.numbers, parts.size);
	let picture = { width: 1, height: 1 };
	let value = [0, 0, 1, 1];

	function place() {
		for (const { style } of [parts.box, parts.shade]) {
			style.left = `${value[0] * 100 / picture.width}%`;
			style.top = `${value[1] * 100 / picture.height}%`;
			style.width = `${widthOf(value) * 100 / picture.width}%`;
			style.height = `${heightOf(value) * 100 / picture.height}%`;
		}
		parts.box.setAttribute('aria-label', `${label}: left ${value[0]}, top ${value[1]}, right ${value[2]}, bottom ${value[3]}`);
		parts.fields.forEach((field, i) => {
			if (field !== document.activeElement || Number(field.value) !== value[i])
				field.value = value[i];
			field.setAttribute('aria-invalid', 'false');
		});
		const outside = isOutside(value, picture) ? ': reaches outside' : '';

		setText(parts.size, `${widthOf(value)} × ${heightOf(value)} of ${picture.width} × ${picture.height}${outside}`);
		parts.size.classList.remove('bad');
	}

	function change(next) {
		if (next.every((n, i) => n === value[i]))
			return;
		value = next;
		place();
		onChange(value);
	}

	const changed = (from, handle, dx, dy) => handle ? resizeBox(from, handle, dx, dy, picture, aspect()) : moveBox(from, dx, dy, picture);

	function drag(event) {
		const handle = event.target.dataset.handle ?? null;
		const from = value;
		const scale = picture.width / parts.canvas.getBoundingClientRect().width;
		const start = { x: event.clientX, y: event.clientY };

		if (event.button !== 0)
			return;
		event.preventDefault();
		(handle ? event.target : parts.box).focus({ preventScroll: true });
		parts.box.setPointerCapture(event.pointerId);
		const onMove = (move) => change(changed(from, handle, (move.clientX - start.x) * scale, (move.clientY - start.y) * scale));

		parts.box.addEventListener('pointermove', onMove);
		const end = () => parts.box.removeEventListener('pointermove', onMove);

		parts.box.addEventListener('lostpointercapture', end, { once: true });
	}

	function onKey(event) {
		const by = ARROWS[event.key];
		const step = event.shiftKey ? 10 : 1;

		if (!by || event.altKey || event.ctrlKey || event.metaKey)
			return;
		event.preventDefault();
		event.stopPropagation();
		const handle = event.target.dataset.handle ?? null;
		/* Along one axis a corner on its diagonal goes half of the way. */
		const far = handle?.length === 2 && aspect() ? 2 * step : step;

		change(changed(value, handle, by[0] * far, by[1] * far));
	}

	function onField(event) {
		const next = parts.fields.map((field) => field.value.trim() === '' ? NaN : Number(field.value));
		const fault = faultOf(next);

		event.target.setAttribute('aria-invalid', String(Boolean(fault)));
		if (fault) {
			setText(parts.size, fault);
			parts.size.classList.add('bad');
			return;
		}
		change(next);
		place();
	}

	parts.box.addEventListener('pointerdown', drag);
	parts.box.addEventListener('keydown', onKey);
	for (const field of parts.fields) {
		field.addEventListener('input', onField);
		field.addEventListener('blur', place);
		field.addEventListener('keydown', (event) => event.stopPropagation());
	}

	return {
		root,
		get value() { return value; },
		get picture() { return picture; },

		/** Sets the box without telling onChange. */
		set(next) {
			value = next;
			place();
		},
		/** Shows a picture (ImageBitmap); the box stays. */
		show(bitmap) {
			picture = { width: bitmap.width, height: bitmap.height };
			parts.canvas.width = bitmap.width;
			parts.canvas.height = bitmap.height;
			parts.canvas.getContext('2d').drawImage(bitmap, 0, 0);
			place();
		},
	};
}
