# SPDX-License-Identifier: GPL-3.0-or-later
# Has the program in FOLDER write its manual pages and completions to DOCUMENTS: cmake -DFOLDER=… -DDOCUMENTS=… -P
# It is found by PATH, as examples name the program as it was called.
set(ENV{PATH} "${FOLDER}:$ENV{PATH}")
function(write_document name)
  execute_process(COMMAND mailstead ${ARGN} OUTPUT_FILE ${DOCUMENTS}/${name} RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "mailstead ${ARGN}: ${result}")
  endif()
endfunction()
file(MAKE_DIRECTORY ${DOCUMENTS})
write_document(mailstead.1 help --man)
write_document(mailstead.yaml.5 explain --man)
write_document(mailstead completion bash)
write_document(mailstead.fish completion fish)
write_document(_mailstead completion zsh)
