/*
 * formulas.h - the four wipes of our own in FFmpeg's words, as one would write
 * them for xfade=custom.
 */
#ifndef UNIT_FORMULAS_H
#define UNIT_FORMULAS_H

/* Not 0 where B is seen. */
#define DX "(X-W/2)"
#define DY "(Y-H/2)"

#define STAR_R "sqrt(" DX "*" DX "+" DY "*" DY ")/sqrt(W/2*(W/2)+H/2*(H/2))"
#define STAR_T "5*(atan2(" DY "," DX ")+PI/2)"

#define BAT_K	 "(0.3/pow(1-P,4))"
#define BAT_C	 "if(lt(P,0.5),0.4*(0.5-P)*(0.5-P),0)"
#define BAT_X	 "st(0,abs" DX "*14*" BAT_K "/W)"
#define BAT_Y	 "st(1,(H*(1/2-" BAT_C ")-Y)*6*" BAT_K "/H)"
#define BAT_WING "lt(ld(0),7*sqrt(1-(ld(1)/3)*(ld(1)/3)))"
#define BAT_HEAD                                                               \
	"lt(ld(1),6*sqrt(10)/7+1.5-ld(0)/2"                                    \
	"-3*sqrt(10)/7*sqrt(4-(ld(0)-1)*(ld(0)-1)))"
#define BAT_OVER                                                               \
	"if(gt(ld(0),3)," BAT_WING ",if(gt(ld(0),1)," BAT_HEAD                 \
	",if(gt(ld(0),0.75),lt(ld(1),9-8*ld(0)),if(gt(ld(0),0.5),"             \
	"lt(ld(1),3*ld(0)+0.75),lt(ld(1),2.25)))))"
#define BAT_ARC "(abs(ld(0)-2)-1)"
#define BAT_UNDER                                                              \
	"if(gt(ld(0),4)," BAT_WING ",gt(ld(1),ld(0)/2"                         \
	"-(3*sqrt(33)-7)/112*ld(0)*ld(0)-3+sqrt(1-" BAT_ARC "*" BAT_ARC ")))"

static const struct {
	const char *name;
	const char *is_new;
} wipes[] = {
	{ "clockwipe", "not(lt((1-atan2(W/2-X," DY ")/PI)/2,P))" },
	{ "diamondwipe", "lt(abs" DX "/W+abs" DY "/H,pow(1-P,3))" },
	{ "starwipe", "lt(" STAR_R ",(1-P)*(1-P)*0.75/cos((2*asin(cos(" STAR_T
		      "))+PI*3)/10))" },
	{ "batman",
	  "(" BAT_X ";" BAT_Y ";if(gt(ld(1),0)," BAT_OVER "," BAT_UNDER "))" },
};

#endif
