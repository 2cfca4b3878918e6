/* Memory that is there or the process is not: every function aborts with one line on stderr when
   the allocator says no, so no caller checks for NULL. Release with free(). */
#ifndef COMMON_MEM_H
#define COMMON_MEM_H

#include <stdarg.h>
#include <stddef.h>

#define mem_new(type)          ((type *)mem_alloc(sizeof(type)))
#define mem_array(type, count) ((type *)mem_alloc_array(sizeof(type), (count)))

/* Zeroed. */
void *mem_alloc(size_t size);
void *mem_alloc_array(size_t size, size_t count);
/* Like realloc(); bytes past the old size are not zeroed. */
void *mem_grow(void *memory, size_t size);
/* NULL gives NULL. */
char *mem_strdup(const char *text);
char *mem_strndup(const char *text, size_t len);
char *mem_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *mem_vprintf(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

#endif
