{{/* The file that the controller reads: the values of the same names, without those that say nothing; the workers' image as one name, and their account with the namespaces that have it. */}}
{{- define "w2s.installation" -}}
{{- $workers := dict -}}
{{- range $name, $value := .Values.workers -}}
{{- if not (kindIs "invalid" $value) -}}
{{- $_ := set $workers $name $value -}}
{{- end -}}
{{- end -}}
{{- $_ := set $workers "image" (include "w2s.image" (dict "root" . "image" .Values.workers.image)) -}}
{{- if and .Values.workerServiceAccount.create .Values.workerNamespaces -}}
{{- $places := list -}}
{{- range .Values.workerNamespaces }}{{ $places = append $places .name }}{{ end -}}
{{- $_ := set $workers "serviceAccount" (dict "name" .Values.workerServiceAccount.name "namespaces" $places) -}}
{{- end -}}
{{- $installation := dict "stores" .Values.stores "pools" .Values.pools "workers" $workers "namespaces" .Values.namespaces -}}
{{- if .Values.kueue.enabled -}}
{{- $_ := set $installation "kueue" true -}}
{{- end -}}
{{- with .Values.defaultStore -}}
{{- $_ := set $installation "defaultStore" . -}}
{{- end -}}
{{- toYaml $installation -}}
{{- end }}
