{{/* The file that the controller reads: the values of the same names, without those that say nothing. */}}
{{- define "w2s.installation" -}}
{{- $workers := dict -}}
{{- range $name, $value := .Values.workers -}}
{{- if not (kindIs "invalid" $value) -}}
{{- $_ := set $workers $name $value -}}
{{- end -}}
{{- end -}}
{{- $installation := dict "stores" .Values.stores "pools" .Values.pools "workers" $workers "namespaces" .Values.namespaces "kueue" .Values.kueue.enabled -}}
{{- with .Values.defaultStore -}}
{{- $_ := set $installation "defaultStore" . -}}
{{- end -}}
{{- toYaml $installation -}}
{{- end }}
