namespace CcmFhir.Access;

/// <summary>Marks addresses that know their callers by what each request brings, and by no cookie: a browser's session is not looked at.</summary>
internal sealed class WithoutSession;
