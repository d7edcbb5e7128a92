/*
 * colour.js - colours of others, made readable here.
 */

const channels = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255);

const toHex = (rgb) => `#${rgb.map((c) => Math.round(c * 255).toString(16).padStart(2, '0')).join('')}`;

/** Of #rrggbb, as WCAG reckons it: 0 to 1. */
function luminance(hex) {
	const [r, g, b] = channels(hex).map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);

	return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Between two colours: 1 to 21. */
export function contrast(a, b) {
	const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);

	return (light + 0.05) / (dark + 0.05);
}

/**
 * The colour, with as much white (on a dark ground) or black mixed in as it
 * takes to be read there.
 */
export function readable(hex, ground, least = 4.5) {
	const towards = luminance(ground) < 0.18 ? 1 : 0;
	const from = channels(hex);

	for (let step = 0; step < 20; step++) {
		const mixed = toHex(from.map((c) => c + (towards - c) * step / 20));

		if (contrast(mixed, ground) >= least)
			return mixed;
	}
	return towards ? '#ffffff' : '#000000';
}
