/*
 * timeline-ruler.js - the ruler, drawn: ticks with their times, and above them
 * the days (months, years) they are of.
 */
import { contextOf, ticksOf } from './timeline-ticks.js';

const CONTEXT = 15; /* px high */

/* The one that began left of the view stays readable at its left edge. */
function drawContext(ctx, scale, context, lane, colours) {
	ctx.font = `600 11px ${colours.sans}`;
	context.forEach(({ ms, label }, i) => {
		const begin = Math.round(scale.x(ms));
		const end = i + 1 < context.length ? scale.x(context[i + 1].ms) : scale.width;
		const width = ctx.measureText(label).width;
		const left = Math.max(begin, 0) + 6;

		if (begin > 0) {
			ctx.fillStyle = colours.edge;
			ctx.fillRect(begin, lane.top, 1, lane.height);
		}
		if (left + width + 8 > end && begin <= 0 && context.length > 1)
			return;
		ctx.fillStyle = colours.quiet;
		ctx.fillText(label, left, lane.top + CONTEXT / 2);
	});
}

export function drawRuler(ctx, scale, clock, lane, colours) {
	const { step, major, minor } = ticksOf(scale, clock);
	const bottom = lane.top + lane.height;

	ctx.textBaseline = 'middle';
	ctx.fillStyle = colours.line;
	for (const ms of minor)
		ctx.fillRect(Math.round(scale.x(ms)), bottom - 4, 1, 4);
	ctx.font = `11px ${colours.mono}`;
	for (const { ms, label } of major) {
		const x = Math.round(scale.x(ms));

		ctx.fillStyle = colours.edge;
		ctx.fillRect(x, bottom - 11, 1, 11);
		ctx.fillStyle = colours.text;
		ctx.fillText(label, x + 5, bottom - 8.5);
	}
	drawContext(ctx, scale, contextOf(scale, step, clock), lane, colours);
}
