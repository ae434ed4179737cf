# Writes HEADER with the commit of SOURCE ("+" after it: with changes), or "unknown" outside a repository. Run at every
# build; the file is written only when it would change, so that nothing is compiled for nothing.
set(commit unknown)
execute_process(COMMAND git -C ${SOURCE} describe --always --abbrev=12 --dirty=+ --exclude=*
    OUTPUT_VARIABLE out RESULT_VARIABLE failed ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
if(NOT failed AND EXISTS ${SOURCE}/.git)
    set(commit ${out})
endif()
file(CONFIGURE OUTPUT ${HEADER} CONTENT "#define CORD_COMMIT \"${commit}\"\n" @ONLY)
