{{/* One rule of egress over TCP: .to, where empty anywhere; .ports. */}}
{{- define "w2s.egress" -}}
- {{ with .to -}}
  to:
    {{- toYaml . | nindent 4 }}
  {{ end -}}
  ports:
    {{- range .ports }}
    - {protocol: TCP, port: {{ . }}}
    {{- end }}
{{- end }}

{{- define "w2s.dns" -}}
- to:
    {{- toYaml .Values.networkPolicy.dns.to | nindent 4 }}
  ports:
    - {protocol: UDP, port: 53}
    - {protocol: TCP, port: 53}
{{- end }}

{{/* Ports of the stores: those that are given, else those of the endpoints, each once, as a JSON list. */}}
{{- define "w2s.storePorts" -}}
{{- $ports := list -}}
{{- range .Values.networkPolicy.store.ports }}{{ $ports = append $ports (int .) }}{{ end -}}
{{- if not $ports -}}
{{- range .Values.stores -}}
{{- $url := urlParse (.settings.endpoint | default "https://aws") -}}
{{- $port := regexFind ":[0-9]+$" $url.host | trimPrefix ":" -}}
{{- $ports = append $ports (int ($port | default (ternary 80 443 (eq $url.scheme "http")))) -}}
{{- end -}}
{{- end -}}
{{- $ports | default (list 443) | uniq | toJson -}}
{{- end }}

{{/* What controller and workers reach alike: names, the stores, the proxy. .root; .identity: whether a web identity is shown to the token service. */}}
{{- define "w2s.storesAndNames" -}}
{{- $policy := .root.Values.networkPolicy -}}
{{ include "w2s.dns" .root }}
{{ include "w2s.egress" (dict "to" $policy.store.to "ports" (include "w2s.storePorts" .root | fromJsonArray)) }}
{{- if .identity }}
{{ include "w2s.egress" $policy.tokenService }}
{{- end }}
{{- if $policy.proxy.ports }}
{{ include "w2s.egress" $policy.proxy }}
{{- end }}
{{- end }}
