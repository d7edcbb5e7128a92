/*
 * dom.js - building of elements.
 *
 * Texts are set as texts, never as markup: names, chat and the server's words
 * come from outside.
 */

const SVG = 'http://www.w3.org/2000/svg';

/**
 * el('button', { class: 'primary', type: 'button', on: { click: fn }, 'aria-label': 'Play' }, 'Play', icon('play'))
 * Names with a dash, and those that are no property, become attributes; null and false are left out.
 */
export function el(tag, props = {}, ...children) {
	const node = document.createElement(tag);

	for (const [name, value] of Object.entries(props)) {
		if (value === null || value === undefined || value === false)
			continue;
		if (name === 'on')
			for (const [type, fn] of Object.entries(value))
				node.addEventListener(type, fn);
		else if (name === 'dataset')
			Object.assign(node.dataset, value);
		else if (name === 'class')
			node.className = value;
		else if (!name.includes('-') && name in node && name !== 'list' && name !== 'form')
			node[name] = value;
		else
			node.setAttribute(name, value === true ? '' : value);
	}
	node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
	return node;
}

/** A drawing of icons.svg. */
export function icon(id) {
	const svg = document.createElementNS(SVG, 'svg');
	const use = document.createElementNS(SVG, 'use');

	svg.setAttribute('aria-hidden', 'true');
	use.setAttribute('href', `www/icons.svg#${id}`);
	svg.append(use);
	return svg;
}

export function clear(node) {
	node.replaceChildren();
	return node;
}

/** Sets a text only where it is another: what screen readers hear, and what is laid out anew. */
export function setText(node, text) {
	if (node.textContent !== text)
		node.textContent = text;
}

/** A text for others: the clipboard needs https or localhost, execCommand does not. */
export async function copyText(text) {
	try {
		await navigator.clipboard.writeText(text);
		return true;
	} catch {
		const area = el('textarea', { value: text, class: 'visually-hidden', 'aria-hidden': 'true' });
		const focused = document.activeElement;

		document.body.append(area);
		area.select();
		const done = document.execCommand('copy');
		area.remove();
		focused?.focus();
		return done;
	}
}
