using System.Text;
using CcmFhir.Validation.Definitions;
using CcmFhir.Validation.FhirPath;
using Hl7.Fhir.Model;

namespace CcmFhir.Validation.Tests.FhirPath;

/// <summary>Expressions on one Patient, each with the result that the specification asks for: values joined by a comma, nothing for empty,
/// ! for an error. The SDK's engine must say the same, except where a row says why not.</summary>
public sealed class FhirPathTest
{
    private const string Patient = """
        {
          "resourceType": "Patient",
          "id": "p1",
          "extension": [{ "url": "http://e.org/a", "valueString": "x" }, { "url": "http://e.org/q", "valueQuantity": { "value": 5, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg" } }],
          "contained": [{ "resourceType": "Organization", "id": "o1", "name": "Org" }],
          "identifier": [{ "system": "urn:s", "value": "1" }, { "system": "urn:t", "value": "2" }],
          "active": true,
          "name": [
            { "use": "official", "family": "Doe", "given": ["Jane", "Q."], "_given": [null, { "extension": [{ "url": "http://e.org/b", "valueCode": "q" }] }] },
            { "use": "usual", "given": ["Jenny"] }
          ],
          "birthDate": "1970-03-30",
          "_birthDate": { "extension": [{ "url": "http://hl7.org/fhir/StructureDefinition/patient-birthTime", "valueDateTime": "1970-03-30T10:00:00Z" }] },
          "_gender": { "extension": [{ "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown" }] },
          "deceasedDateTime": "2020-01",
          "multipleBirthInteger": 2,
          "contact": [{ "name": { "family": "Roe" }, "period": { "start": "2012-01-01", "end": "2012-12-31T10:00:00+02:00" } }],
          "communication": [{ "language": { "coding": [{ "system": "urn:ietf:bcp:47", "code": "en" }] }, "preferred": false }],
          "managingOrganization": { "reference": "#o1" }
        }
        """;

    private static readonly FhirJson Document = FhirJson.Parse(Encoding.UTF8.GetBytes(Patient), out _)!;
    private static readonly TypeModel Types = new(BaseDefinitions.R4);

    /// <summary>Expression, result, and why the SDK says otherwise (null where it does not).</summary>
    public static TheoryData<string, string, string?> Rows =>
        new()
        {
            // Paths and choices
            { "name.given", "Jane,Q.,Jenny", null },
            { "Patient.name.family", "Doe", null },
            { "Resource.id", "p1", null },
            { "Observation.id", "", null },
            { "deceased", "2020-01", null },
            { "deceased is dateTime", "true", null },
            { "deceased is boolean", "false", null },
            { "multipleBirth is integer", "true", null },
            { "multipleBirth as integer", "2", null },
            { "multipleBirth.ofType(boolean)", "", null },
            { "deceasedDateTime", "", null },
            { "name[1].given", "Jenny", null },
            { "name[7]", "", null },
            { "name.given[1]", "Q.", null },
            { "name.given.extension.value", "q", null },
            { "name.given.extension('http://e.org/b').exists()", "true", null },
            { "gender.exists()", "true", null },
            { "gender.hasValue()", "false", null },
            { "gender.extension.value", "unknown", null },
            {
                "birthDate.extension('http://hl7.org/fhir/StructureDefinition/patient-birthTime').value",
                "1970-03-30T10:00:00Z",
                null
            },
            { "extension('http://e.org/a').value", "x", null },
            { "extension(%`ext-patient-birthTime`).empty()", "true", null },
            { "birthDate.extension(%`ext-patient-birthTime`).exists()", "true", null },
            { "managingOrganization.resolve().name", "Org", null },
            { "managingOrganization.resolve() is Organization", "true", null },
            { "managingOrganization.resolve().ofType(Organization).name", "Org", null },
            { "contained.name", "Org", null },
            { "contact.name.family | name.family", "Roe,Doe", null },
            { "children().count() > 10", "true", null },
            { "descendants().where($this = 'Q.').count()", "1", null },
            { "name.first().children().count()", "4", null },
            { "birthDate.children().count()", "1", null },
            { "resourceType", "", null },
            // Types
            { "$this is Patient", "true", null },
            { "$this is DomainResource", "true", null },
            { "$this is FHIR.Patient", "true", null },
            { "name.first().use is code", "true", null },
            {
                "active is System.Boolean",
                "true",
                "The SDK tells FHIR.boolean from System.Boolean; a FHIR primitive is its system value (que-7 needs it)."
            },
            { "'a' is System.String", "true", null },
            { "1 is Integer", "true", null },
            { "1.0 is Decimal", "true", null },
            { "@2012 is Date", "true", null },
            // Existence
            { "name.empty()", "false", null },
            { "photo.empty()", "true", null },
            { "name.exists(use = 'usual')", "true", null },
            { "name.where(use = 'old').exists()", "false", null },
            { "name.all(given.exists())", "true", null },
            { "name.all(family.exists())", "false", null },
            { "photo.all(url.exists())", "true", null },
            { "name.select(family.exists()).allTrue()", "false", null },
            { "name.select(family.exists()).anyTrue()", "true", null },
            { "name.select(family.exists()).allFalse()", "false", null },
            { "name.select(family.exists()).anyFalse()", "true", null },
            { "name.count()", "2", null },
            { "(1 | 2 | 2).count()", "2", null },
            { "(1 | 2).combine(2).count()", "3", null },
            { "name.use.isDistinct()", "true", null },
            { "('a' | 'b').combine('a').isDistinct()", "false", null },
            { "('a' | 'b').combine('a').distinct().count()", "2", null },
            { "('a' | 'b').subsetOf('a' | 'b' | 'c')", "true", null },
            { "('a' | 'b').supersetOf('a' | 'c')", "false", null },
            { "('a' | 'b').intersect('b' | 'c')", "b", null },
            { "('a' | 'b').exclude('b')", "a", null },
            { "('a' | 'b').union('b' | 'c').count()", "3", null },
            // Subsetting
            { "name.given.first()", "Jane", null },
            { "name.given.last()", "Jenny", null },
            { "name.given.tail()", "Q.,Jenny", null },
            { "name.given.skip(2)", "Jenny", null },
            { "name.given.take(2)", "Jane,Q.", null },
            { "name.given.take(0)", "", null },
            { "contact.single().name.family", "Roe", null },
            { "name.single()", "!", null },
            { "name.select(given.first())", "Jane,Jenny", null },
            { "name.where($index = 1).use", "usual", null },
            { "(1 | 2 | 3).aggregate($total + $this, 0)", "6", null },
            { "contact.repeat(name | period).count()", "2", null },
            // Logic with three values
            { "true and {}", "", null },
            { "false and {}", "false", null },
            { "{} and false", "false", null },
            { "true or {}", "true", null },
            { "{} or false", "", null },
            { "{} or true", "true", null },
            { "true xor {}", "", null },
            { "true xor false", "true", null },
            { "true implies {}", "", null },
            { "false implies {}", "true", null },
            { "{} implies true", "true", null },
            { "{} implies false", "", null },
            { "{}.not()", "", null },
            { "active.not()", "false", null },
            { "active and communication.preferred", "false", null },
            { "name.family and true", "true", null },
            { "true or false and false", "true", null },
            { "false implies false or true", "true", null },
            // Equality
            { "name.family = 'Doe'", "true", null },
            { "'Doe' = name.family", "true", null },
            { "name.family != 'Doe'", "false", null },
            { "photo = 'a'", "", null },
            { "name.given = 'Jane'", "false", null },
            { "name.given = ('Jane' | 'Q.' | 'Jenny')", "true", null },
            { "name.given = ('Q.' | 'Jane' | 'Jenny')", "false", null },
            { "1 = 1.0", "true", null },
            { "multipleBirth = 2", "true", null },
            { "active = true", "true", null },
            { "active = 'true'", "false", null },
            { "1 = '1'", "false", null },
            { "'a' ~ 'A'", "true", null },
            { "'a b' ~ 'A  B'", "true", "The SDK does not fold white space." },
            { "1.01 ~ 1.0", "true", null },
            { "{} ~ {}", "true", null },
            { "('a' | 'b') ~ ('b' | 'a')", "true", null },
            { "'a' !~ 'b'", "true", null },
            { "name.first() = name.first()", "true", null },
            { "name.first() = name.last()", "false", null },
            { "identifier.first() = identifier.where(value = '1')", "true", null },
            { "'Jane' in name.given", "true", null },
            { "name.given contains 'Joe'", "false", null },
            { "{} in name.given", "", "The SDK answers false; an empty left side gives empty." },
            { "name.last().use in ('usual' | 'old')", "true", null },
            { "birthDate in ('1970-03-30' | 'b')", "false", null },
            // Order
            { "1 < 2", "true", null },
            { "2.5 >= 2.5", "true", null },
            { "'a' < 'b'", "true", null },
            { "1 < {}", "", null },
            { "1 < 'a'", "!", null },
            { "birthDate < @1970-03-31", "true", null },
            { "birthDate < @1970", "", null },
            { "birthDate < @1971", "true", null },
            { "birthDate = @1970-03-30", "true", null },
            { "birthDate = @1970", "", null },
            { "contact.period.start <= contact.period.end", "true", null },
            { "@2012-01-01T10:00:00Z = @2012-01-01T12:00:00+02:00", "true", null },
            { "@2012-01-01T10:00:00Z < @2012-01-01T11:00:00+02:00", "false", null },
            { "@T10:00 < @T11:00", "true", null },
            { "@T10:00:00 = @T10:00:00.000", "true", null },
            { "extension.value.ofType(Quantity) > 4 'mg'", "true", null },
            {
                "extension.value.ofType(Quantity) > 1 'g'",
                "false",
                "The SDK converts no units where the runtime has no culture data."
            },
            { "5000 'ug' = 5 'mg'", "true", "The SDK converts no units where the runtime has no culture data." },
            { "1 'kg' > 1 'cm'", "", null },
            { "7 days = 1 week", "true", "The SDK converts no units where the runtime has no culture data." },
            // Arithmetic
            { "1 + 2 * 3", "7", null },
            { "(1 + 2) * 3", "9", null },
            { "7 div 2", "3", null },
            { "7 mod 2", "1", null },
            { "7 / 2", "3.5", null },
            { "1 / 0", "", null },
            { "-5.abs()", "-5", null },
            { "(-5).abs()", "5", null },
            { "1.5 + 1", "2.5", null },
            { "'a' + 'b'", "ab", null },
            { "'a' & {} & 'b'", "ab", null },
            { "name.family & name.last().use", "Doeusual", null },
            { "1.7.floor()", "1", null },
            { "1.2.ceiling()", "2", null },
            { "1.55.round(1)", "1.6", null },
            { "9.sqrt()", "3", null },
            { "2.power(3)", "8", null },
            { "(-1).sqrt()", "", null },
            { "1.9.truncate()", "1", null },
            { "@2012-01-31 + 1 month", "2012-02-29", null },
            { "@2012-01-01 + 1 day", "2012-01-02", null },
            { "birthDate + 50 years", "2020-03-30", null },
            { "@2012-01-01T10:00:00Z - 1 hour", "2012-01-01T09:00:00Z", "The SDK writes the offset as +00:00." },
            { "today() = @2031-05-06", "true", "The SDK reads the real clock." },
            { "now() > @2026-11-24T00:00:00Z", "true", null },
            { "timeOfDay() = @T10:20:30.000", "true", "The SDK reads the real clock." },
            // Text
            { "'abc'.length()", "3", null },
            { "'abc'.substring(1)", "bc", null },
            { "'abc'.substring(1, 1)", "b", null },
            { "'abc'.substring(3)", "", null },
            { "'abc'.indexOf('c')", "2", null },
            { "'abc'.startsWith('ab')", "true", null },
            { "'abc'.endsWith('')", "true", null },
            { "'abc'.contains('d')", "false", null },
            { "'abc'.upper()", "ABC", null },
            { "'ABC'.lower()", "abc", null },
            { "'abc'.replace('b', 'x')", "axc", null },
            { "'abc'.matches('^a.c$')", "true", null },
            { "'xabcx'.matches('abc')", "true", null },
            { "'xabcx'.matchesFull('abc')", "false", "The SDK does not know matchesFull()." },
            { "'a1b2'.replaceMatches('[0-9]', '')", "ab", null },
            { "'abc'.toChars()", "a,b,c", null },
            { "' a '.trim()", "a", null },
            { "'a,b'.split(',').last()", "b", null },
            { "('a' | 'b').join('-')", "a-b", null },
            { "'it\\'s'", "it's", null },
            { "'\\u0041'", "A", null },
            { "'ab'.encode('hex')", "6162", null },
            { "'YWI='.decode('base64')", "ab", null },
            { "'<'.escape('html')", "&lt;", null },
            // Conversion
            { "'1'.toInteger()", "1", null },
            { "'a'.toInteger()", "", null },
            { "'1.50'.toDecimal()", "1.50", null },
            { "'true'.toBoolean()", "true", null },
            { "1.toString()", "1", null },
            { "'2012-01'.toDate()", "2012-01", null },
            { "'2012'.convertsToDate()", "true", null },
            { "'x'.convertsToDate()", "false", null },
            { "'10:00'.toTime()", "10:00", null },
            { "'5 \\'mg\\''.toQuantity() = 5 'mg'", "true", null },
            { "birthDate.toString()", "1970-03-30", null },
            { "iif(active, 'yes', 'no')", "yes", null },
            { "iif({}, 'yes', 'no')", "no", null },
            { "iif(false, 'yes')", "", null },
            { "contact.name.iif(family.exists(), family, 'none')", "Roe", null },
            // Context
            { "%resource.id", "p1", null },
            { "%rootResource.id", "p1", null },
            { "%context.id", "p1", null },
            { "name.where(%resource.active).count()", "2", null },
            { "name.select(%context.id)", "p1,p1", null },
            { "%ucum", "http://unitsofmeasure.org", null },
            { "%sct", "http://snomed.info/sct", null },
            { "%`vs-administrative-gender`", "http://hl7.org/fhir/ValueSet/administrative-gender", null },
            { "%nothing", "!", null },
            { "name.trace('names').given.first()", "Jane", null },
            { "name.given.trace('x', length()).count()", "3", null },
            { "/* a remark */ active // and another", "true", null },
        };

    [Theory]
    [MemberData(nameof(Rows))]
    public void An_expression_gives_what_the_specification_says(string expression, string expected, string? sdkDiffers)
    {
        Ours(expression).ShouldBe(expected);
        var sdk = Sdk(expression);
        if (sdkDiffers is null)
        {
            sdk.ShouldBe(expected, "the SDK");
        }
        else
        {
            sdk.ShouldNotBe(expected, "the SDK agrees by now: drop the remark");
        }
    }

    private static string Ours(string expression)
    {
        try
        {
            var context = new EvaluationContext(Document.Root)
            {
                Types = Types,
                Now = new DateTimeOffset(2031, 5, 6, 10, 20, 30, TimeSpan.Zero),
            };
            return string.Join(
                ',',
                FhirPathCompiler.Compile(expression).Evaluate(context, Document.Root).Select(value => value.Text)
            );
        }
        catch (FhirPathException)
        {
            return "!";
        }
    }

    private static string Sdk(string expression)
    {
        var poco = SdkOracle.Read(Encoding.UTF8.GetBytes(Patient))!;
        try
        {
            return string.Join(
                ',',
                SdkOracle
                    .Evaluate(expression, poco)
                    .Select(node =>
                        node.GetValue() is bool truth
                            ? (truth ? "true" : "false")
                            : FormattableString.Invariant($"{node.GetValue()}")
                    )
            );
        }
        catch (Exception)
        {
            return "!";
        }
    }
}
