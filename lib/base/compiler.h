/*
 * compiler.h - the few things we ask of the compiler beyond C11.
 */
#ifndef BASE_COMPILER_H
#define BASE_COMPILER_H

#define MUST_CHECK	       __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define NORETURN	       __attribute__((noreturn))
#define UNUSED(x)	       ((void)(x))
#define ARRAY_SIZE(a)	       (sizeof(a) / sizeof((a)[0]))

#endif
