/*
 * transitions.js - the transitions that /cut knows, in groups as they are
 * offered.
 */

export const TRANSITIONS = {
	'Fades': ['fade', 'fadeblack', 'fadewhite', 'fadegrays', 'dissolve', 'pixelize', 'hblur', 'distance'],
	'Wipes': ['wipeleft', 'wiperight', 'wipeup', 'wipedown', 'wipetl', 'wipetr', 'wipebl', 'wipebr', 'clockwipe', 'radial',
		'diagtl', 'diagtr', 'diagbl', 'diagbr'],
	'Slides': ['slideleft', 'slideright', 'slideup', 'slidedown', 'coverleft', 'coverright', 'coverup', 'coverdown',
		'revealleft', 'revealright', 'revealup', 'revealdown'],
	'Smooth': ['smoothleft', 'smoothright', 'smoothup', 'smoothdown'],
	'Shapes': ['circlecrop', 'rectcrop', 'circleopen', 'circleclose', 'vertopen', 'vertclose', 'horzopen', 'horzclose',
		'starwipe', 'diamondwipe', 'batman'],
	'Slices and wind': ['hlslice', 'hrslice', 'vuslice', 'vdslice', 'hlwind', 'hrwind', 'vuwind', 'vdwind'],
	'Squeeze and zoom': ['squeezeh', 'squeezev', 'zoomin'],
};

const names = new Set(Object.values(TRANSITIONS).flat());

export const isTransition = (name) => names.has(name);
